package client_test

import (
	"context"
	"fmt"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

// dialer connects the examples with a runtime that knows one job only: a real one is package runtime, which this package is not to
// know.
var dialer = transport.DialerFunc(func(context.Context) (transport.Conn, error) {
	ours, theirs := transport.Pipe()
	go play(theirs)
	return ours, nil
})

// play answers until the other end goes.
func play(c transport.Conn) {
	for {
		frame, err := c.Read(nil)
		if err != nil {
			return
		}
		e, err := arcp.Decode(frame)
		if err != nil {
			return
		}
		for n, p := range answers(e) {
			answer := &arcp.Envelope{ID: fmt.Sprintf("r%d", n), SessionID: "sess_01", Payload: p}
			rule, _ := arcp.RuleOf(p.MessageType())
			if rule.JobScoped {
				answer.JobID = "job_01"
			}
			if rule.Sequenced {
				answer.EventSeq = uint64(n)
				answer.ID = fmt.Sprintf("job_01.%d", n)
			}
			if frame, err = answer.AppendJSON(nil); err != nil || c.Write(frame) != nil {
				return
			}
		}
		if c.Flush() != nil {
			return
		}
	}
}

// answers are the messages that answer one; what a job has to say begins with the second.
func answers(e *arcp.Envelope) []arcp.Payload {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	job := []arcp.Payload{
		&arcp.JobEvent{Kind: arcp.KindProgress, TS: at, Body: &arcp.ProgressBody{Current: 1, Total: 2, Message: "Ada"}},
		&arcp.JobEvent{Kind: arcp.KindProgress, TS: at, Body: &arcp.ProgressBody{Current: 2, Total: 2, Message: "Alan"}},
		&arcp.JobResult{JobID: "job_01", FinalStatus: arcp.StatusSuccess, CompletedAt: at, Result: arcp.RawJSON(`"Hello, Ada and Alan"`)},
	}
	const agent = "greet@1.0.0"
	switch p := e.Payload.(type) {
	case *arcp.SessionHello:
		return []arcp.Payload{&arcp.SessionWelcome{
			Runtime: arcp.Software{Name: "example"}, ResumeToken: arcp.MakeSecret("t"), ResumeWindowSec: 600,
			Capabilities: arcp.RuntimeCapabilities{Features: p.Capabilities.Features},
		}}
	case *arcp.JobSubmit:
		return append([]arcp.Payload{&arcp.JobAccepted{RequestID: e.ID, JobID: "job_01", Agent: agent, AcceptedAt: at}}, job...)
	case *arcp.JobSubscribe:
		return append([]arcp.Payload{&arcp.JobSubscribed{
			RequestID: e.ID, JobID: "job_01", Agent: agent, CurrentStatus: arcp.StatusRunning, Replayed: true,
		}}, job...)
	case *arcp.SessionListJobs:
		return []arcp.Payload{&arcp.SessionJobs{RequestID: e.ID, Jobs: []arcp.JobSummary{
			{JobID: "job_01", Agent: agent, Status: arcp.StatusRunning, CreatedAt: at},
		}}}
	case *arcp.SessionClose:
		return []arcp.Payload{&arcp.SessionClosed{}}
	}
	return nil
}
