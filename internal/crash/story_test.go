package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// story is a round in which everything is as it should be, to be changed by tests: a client that submits one job, is killed while it reads it, goes
// on with the session, and an audit.
type story struct {
	t       *testing.T
	entries []entry
	seq     map[string]uint64 // by session
	ids     int
}

const (
	storyJob = "job_1"
	storyRun = "r1"
)

func storyTime() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

func newStory(t *testing.T) *story {
	t.Helper()
	s := &story{t: t, seq: map[string]uint64{}}
	w := work{Events: 4}
	s.client(1, "ada1-0000", "", &arcp.SessionHello{Client: arcp.Software{Name: "ada1"}, Auth: arcp.Auth{Token: arcp.MakeSecret(tokenOf("ada"))}})
	s.welcome(1, "ada1-0000", "sess_1", "token-1")
	s.client(1, "ada1-0000", "sess_1", &arcp.JobSubmit{Agent: agentAgain, Input: w.input(), IdempotencyKey: "k"})
	s.runtime(1, "ada1-0000", "sess_1", &arcp.JobAccepted{
		JobID: storyJob, Agent: agentAgain + "@1.0.0", Lease: arcp.Lease{}, RequestID: s.lastID(), AcceptedAt: storyTime(),
	})
	for i := range 2 {
		s.event(1, "ada1-0000", "sess_1", i, &w)
		s.read("ada1-0000", i, &w)
	}
	s.resume(2, "ada1-0001", "token-1", 2)
	s.welcome(2, "ada1-0001", "sess_1", "token-2")
	for i := 2; i < 4; i++ {
		s.event(2, "ada1-0001", "sess_1", i, &w)
		s.read("ada1-0001", i, &w)
	}
	s.end(2, "ada1-0001", "sess_1", &w)
	s.note(entry{Ended: &ending{storyJob, string(arcp.StatusSuccess)}, life: "ada1-0001"})
	s.audit(&w)
	return s
}

func (s *story) audit(w *work) {
	life := finalName + "-ada-0000"
	s.client(3, life, "", &arcp.SessionHello{Client: arcp.Software{Name: "final"}, Auth: arcp.Auth{Token: arcp.MakeSecret(tokenOf("ada"))}})
	s.welcome(3, life, "sess_2", "token-3")
	s.client(3, life, "sess_2", &arcp.SessionListJobs{})
	s.runtime(3, life, "sess_2", &arcp.SessionJobs{RequestID: s.lastID(), Jobs: []arcp.JobSummary{{
		JobID: storyJob, Agent: agentAgain + "@1.0.0", Status: arcp.StatusSuccess, Lease: arcp.Lease{}, CreatedAt: storyTime(), LastEventSeq: 5,
	}}})
	s.client(3, life, "sess_2", &arcp.JobSubscribe{JobID: storyJob, History: true})
	s.runtime(3, life, "sess_2", &arcp.JobSubscribed{
		JobID: storyJob, CurrentStatus: arcp.StatusSuccess, Agent: agentAgain + "@1.0.0", Lease: arcp.Lease{}, Replayed: true, RequestID: s.lastID(),
	})
	for i := range w.Events {
		s.event(3, life, "sess_2", i, w)
	}
	s.end(3, life, "sess_2", w)
}

func (s *story) note(e entry) {
	e.At = int64(len(s.entries)) * int64(time.Millisecond)
	s.entries = append(s.entries, e)
}

func (s *story) frame(link int, life, from string, e *arcp.Envelope) {
	s.t.Helper()
	frame, err := e.AppendJSON(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.note(entry{Link: link, From: from, Frame: frame, life: life})
}

func (s *story) client(link int, life, session string, p arcp.Payload) {
	s.t.Helper()
	s.ids++
	s.frame(link, life, fromClient, &arcp.Envelope{ID: s.lastID(), SessionID: session, Payload: p})
}

// lastID is that of the client's last frame.
func (s *story) lastID() string { return fmt.Sprintf("c%d", s.ids) }

func (s *story) runtime(link int, life, session string, p arcp.Payload) {
	s.t.Helper()
	e := &arcp.Envelope{ID: fmt.Sprintf("r%d", len(s.entries)), SessionID: session, Payload: p}
	switch p.(type) {
	case *arcp.JobAccepted, *arcp.JobSubscribed:
		e.JobID = storyJob
	}
	s.frame(link, life, fromRuntime, e)
}

func (s *story) resume(link int, life, token string, last uint64) {
	s.t.Helper()
	s.client(link, life, "", &arcp.SessionHello{
		Client: arcp.Software{Name: "ada1"}, Auth: arcp.Auth{Token: arcp.MakeSecret(tokenOf("ada"))},
		Resume: &arcp.Resume{SessionID: "sess_1", ResumeToken: arcp.MakeSecret(token), LastEventSeq: last},
	})
}

func (s *story) welcome(link int, life, session, token string) {
	s.t.Helper()
	s.runtime(link, life, session, &arcp.SessionWelcome{
		Runtime: arcp.Software{Name: "story"}, ResumeToken: arcp.MakeSecret(token), ResumeWindowSec: 60, HeartbeatIntervalSec: 30,
		Capabilities: arcp.RuntimeCapabilities{Encodings: []string{arcp.EnvelopeEncodingJSON}, Features: arcp.Features(), Agents: []arcp.AgentEntry{}},
	})
}

// sequenced is the entry of the job's log at an index, with the session's next number.
func (s *story) sequenced(link int, life, session string, index uint64, p arcp.Payload) {
	s.t.Helper()
	s.seq[session]++
	s.frame(link, life, fromRuntime, &arcp.Envelope{
		ID: arcp.EventID(storyJob, index), SessionID: session, EventSeq: s.seq[session], JobID: storyJob, Payload: p,
	})
}

func (s *story) event(link int, life, session string, i int, w *work) {
	s.t.Helper()
	body := w.body(storyRun, i)
	s.sequenced(link, life, session, uint64(i)+1, &arcp.JobEvent{Kind: body.EventKind(), TS: storyTime(), Body: body})
}

func (s *story) read(life string, i int, w *work) {
	s.note(entry{Read: &reading{storyJob, uint64(i) + 1, 1, false, digest(w.body(storyRun, i))}, life: life})
}

func (s *story) end(link int, life, session string, w *work) {
	s.t.Helper()
	text, err := json.Marshal(w.outcome(storyRun))
	if err != nil {
		s.t.Fatal(err)
	}
	s.sequenced(link, life, session, uint64(w.Events)+1, &arcp.JobResult{JobID: storyJob, FinalStatus: arcp.StatusSuccess, Result: text, Output: text})
}
