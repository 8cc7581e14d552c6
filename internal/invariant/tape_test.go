package invariant

import (
	"strings"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// tape makes a trace by hand. Steps have labels by which a test finds the one it wants to break.
type tape struct {
	t      *testing.T
	trace  Trace
	labels []string
}

const (
	sessA, sessB, sessC = "sess_aaaaaaaaaaaa", "sess_bbbbbbbbbbbb", "sess_cccccccccccc"
	job1, job2, job3    = "job_111111111111", "job_222222222222", "job_333333333333"
	tokenA1, tokenA2    = "rt_aaaaaaaaaaaaaaaa1", "rt_aaaaaaaaaaaaaaaa2"
	tokenB1, tokenC1    = "rt_bbbbbbbbbbbbbbbb1", "rt_cccccccccccccccc1"
	alice, bob          = "bearer_of_alice_0000", "bearer_of_bob_000000"
	canary              = "CANARY-4711"
)

var at = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func options() Options {
	return Options{Whole: true, Secrets: map[string]string{canary: "alice"}, Principal: func(token string) string {
		return strings.Split(token, "_")[2]
	}}
}

func (p *tape) add(label string, link int, from arcp.Side, e *arcp.Envelope) {
	p.t.Helper()
	data, err := e.AppendJSON(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.trace = append(p.trace, Step{At: time.Duration(len(p.trace)) * time.Second, Link: link, From: from, Data: data})
	p.labels = append(p.labels, label)
}

func (p *tape) client(label string, link int, session string, payload arcp.Payload) {
	p.t.Helper()
	p.add(label, link, arcp.FromClient, &arcp.Envelope{ID: label, SessionID: session, Payload: payload})
}

func (p *tape) runtime(label string, link int, session, job string, payload arcp.Payload) {
	p.t.Helper()
	p.add(label, link, arcp.FromRuntime, &arcp.Envelope{ID: "r-" + label, SessionID: session, JobID: job, Payload: payload})
}

// event adds a numbered frame: entry index of job is number seq of session.
func (p *tape) event(label string, link int, session string, seq uint64, job string, index uint64, payload arcp.Payload) {
	p.t.Helper()
	p.add(label, link, arcp.FromRuntime, &arcp.Envelope{
		ID: arcp.EventID(job, index), SessionID: session, JobID: job, EventSeq: seq, Payload: payload,
	})
}

func hello(token string, features ...arcp.Feature) *arcp.SessionHello {
	return &arcp.SessionHello{
		Client: arcp.Software{Name: "t"}, Auth: arcp.Auth{Token: arcp.MakeSecret(token)},
		Capabilities: &arcp.ClientCapabilities{Features: features},
	}
}

func welcome(token string, features ...arcp.Feature) *arcp.SessionWelcome {
	return &arcp.SessionWelcome{
		Runtime: arcp.Software{Name: "r", Version: "1"}, ResumeToken: arcp.MakeSecret(token), ResumeWindowSec: 60,
		Capabilities: arcp.RuntimeCapabilities{Encodings: []string{"json"}, Features: features},
	}
}

func accepted(job, request string) *arcp.JobAccepted {
	return &arcp.JobAccepted{RequestID: request, JobID: job, Agent: "a@1.0.0", Lease: arcp.Lease{}, AcceptedAt: at}
}

func thought(text string) *arcp.JobEvent {
	return &arcp.JobEvent{Kind: arcp.KindThought, TS: at, Body: &arcp.ThoughtBody{Text: text}}
}

func progress(n float64) *arcp.JobEvent {
	return &arcp.JobEvent{Kind: arcp.KindProgress, TS: at, Body: &arcp.ProgressBody{Current: n}}
}

func success(job string) *arcp.JobResult {
	return &arcp.JobResult{JobID: job, FinalStatus: arcp.StatusSuccess, Result: arcp.RawJSON("7"), Output: arcp.RawJSON("7"), CompletedAt: at}
}

func cancelled(job string) *arcp.JobError {
	return &arcp.JobError{JobID: job, FinalStatus: arcp.StatusCancelled, Code: arcp.CodeCancelled, Message: "cancelled"}
}

func refusal(code arcp.ErrorCode, request, job string) *arcp.SessionError {
	return &arcp.SessionError{Code: code, Message: "no", RequestID: request, JobID: job}
}

// good is a conversation without a fault: alice's session A submits two jobs, one with a key, loses its link in the middle and resumes; her
// session B watches the first from the beginning without having agreed on progress; bob's session C sees nothing of hers.
func good(t *testing.T) *tape {
	p := &tape{t: t}
	all := []arcp.Feature{arcp.FeatureProgress, arcp.FeatureResultChunk, arcp.FeatureSubscribe, arcp.FeatureListJobs}
	p.client("helloA", 1, "", hello(alice, all...))
	p.runtime("welcomeA", 1, sessA, "", welcome(tokenA1, all...))
	p.client("submit1", 1, sessA, &arcp.JobSubmit{Agent: "a", Input: arcp.RawJSON(`{"b":1.0,"a":2}`), IdempotencyKey: "k"})
	p.runtime("accepted1", 1, sessA, job1, accepted(job1, "submit1"))
	p.event("e1", 1, sessA, 1, job1, 1, thought("one "+canary))
	p.event("e2", 1, sessA, 2, job1, 2, progress(1))
	p.client("helloB", 2, "", hello(alice, arcp.FeatureSubscribe, arcp.FeatureResultChunk))
	p.runtime("welcomeB", 2, sessB, "", welcome(tokenB1, arcp.FeatureSubscribe, arcp.FeatureResultChunk))
	p.client("watch", 2, sessB, &arcp.JobSubscribe{JobID: job1, History: true})
	p.runtime("watched", 2, sessB, job1, &arcp.JobSubscribed{
		JobID: job1, CurrentStatus: arcp.StatusRunning, Agent: "a@1.0.0", Lease: arcp.Lease{}, Replayed: true, RequestID: "watch",
	})
	p.event("b1", 2, sessB, 1, job1, 1, thought("one "+canary))
	p.event("e3", 1, sessA, 3, job1, 3, thought("three"))
	p.event("b3", 2, sessB, 2, job1, 3, thought("three"))
	p.client("submit2", 1, sessA, &arcp.JobSubmit{Agent: "a"})
	p.runtime("accepted2", 1, sessA, job2, accepted(job2, "submit2"))
	p.event("x1", 1, sessA, 4, job2, 1, thought("x"))
	h := hello(alice, all...)
	h.Resume = &arcp.Resume{SessionID: sessA, ResumeToken: arcp.MakeSecret(tokenA1), LastEventSeq: 2}
	p.client("resumeA", 3, "", h)
	p.runtime("welcomeA2", 3, sessA, "", welcome(tokenA2, all...))
	p.add("accepted2again", 3, arcp.FromRuntime, &arcp.Envelope{ID: "r-accepted2", SessionID: sessA, JobID: job2, Payload: accepted(job2, "submit2")})
	p.event("e3again", 3, sessA, 3, job1, 3, thought("three"))
	p.event("x1again", 3, sessA, 4, job2, 1, thought("x"))
	p.client("cancel2", 3, sessA, &arcp.JobCancel{JobID: job2})
	p.runtime("ack2", 3, sessA, job2, &arcp.JobCancelled{JobID: job2, RequestID: "cancel2"})
	p.event("end2", 3, sessA, 5, job2, 2, cancelled(job2))
	p.client("retry1", 3, sessA, &arcp.JobSubmit{Agent: "a", Input: arcp.RawJSON(`{"a":2.0, "b":1}`), IdempotencyKey: "k"})
	p.runtime("reaccepted1", 3, sessA, job1, accepted(job1, "retry1"))
	p.client("clash", 3, sessA, &arcp.JobSubmit{Agent: "a", Input: arcp.RawJSON(`{}`), IdempotencyKey: "k"})
	p.runtime("clashed", 3, sessA, "", refusal(arcp.CodeDuplicateKey, "clash", ""))
	p.event("end1", 3, sessA, 6, job1, 4, success(job1))
	p.event("bend1", 2, sessB, 3, job1, 4, success(job1))
	p.client("list", 2, sessB, &arcp.SessionListJobs{})
	p.client("helloC", 4, "", hello(bob, all...))
	p.runtime("welcomeC", 4, sessC, "", welcome(tokenC1, all...))
	p.client("peep", 4, sessC, &arcp.JobSubscribe{JobID: job1})
	p.runtime("nothing", 4, sessC, "", refusal(arcp.CodeJobNotFound, "peep", job1))
	p.client("guess", 4, sessC, &arcp.JobSubscribe{JobID: job3})
	p.runtime("nothing2", 4, sessC, "", refusal(arcp.CodeJobNotFound, "guess", job3))
	p.client("closeC", 4, sessC, &arcp.SessionClose{})
	p.runtime("closedC", 4, sessC, "", &arcp.SessionClosed{})
	return p
}
