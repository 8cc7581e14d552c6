package runtime_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
)

// enter opens a link for a principal and returns the answer to its hello.
func enter(t *testing.T, b *bench, served *sync.WaitGroup, who string, resume *arcp.Resume) (transport.Conn, *arcp.Envelope) {
	t.Helper()
	ours, theirs := transport.Pipe()
	served.Go(func() { _ = b.Serve(context.Background(), ours) })
	say(t, theirs, &arcp.Envelope{ID: "h", Payload: &arcp.SessionHello{
		Client: arcp.Software{Name: "test"}, Auth: arcp.Auth{Token: arcp.MakeSecret(who)}, Resume: resume,
		Capabilities: &arcp.ClientCapabilities{Features: []arcp.Feature{arcp.FeatureSubscribe}},
	}})
	return theirs, hear(t, theirs)
}

// over says which limit an answer says was reached, and what that is set to.
func over(t *testing.T, e *arcp.Envelope) string {
	t.Helper()
	refused, ok := e.Payload.(*arcp.SessionError)
	if !ok {
		return ""
	}
	var details struct {
		Limit string `json:"limit"`
		Code  string `json:"code"`
		Max   int64  `json:"max"`
	}
	if err := dynjson.Unmarshal(refused.Details, &details); err != nil {
		t.Fatalf("details %s: %v", refused.Details, err)
	}
	if refused.Code != arcp.CodeInternalError || !refused.Retryable {
		t.Errorf("a limit is told with %s, retryable %v, want what the draft has for it", refused.Code, refused.Retryable)
	}
	return fmt.Sprint(details.Code, " ", details.Limit, " ", details.Max)
}

// Of each thing a principal may have so many, others have theirs, and what ends makes room.
//
// guards T9
func TestPrincipalCaps(t *testing.T) {
	t.Parallel()
	t.Run("connections", func(t *testing.T) {
		t.Parallel()
		inBench(t, func(l *runtime.Limits) { l.PrincipalConnections = 2 }, func(b *bench, served *sync.WaitGroup) {
			first, welcome := enter(t, b, served, "alice", nil)
			enter(t, b, served, "alice", nil)
			third, refused := enter(t, b, served, "alice", nil)
			if got := over(t, refused); got != "RATE_LIMITED principal_connections 2" {
				t.Errorf("the third connection got %q", got)
			}
			if _, err := third.Read(nil); err == nil {
				t.Error("the third connection stays open")
			}
			if _, ok := enterPayload(enter(t, b, served, "bob", nil)).(*arcp.SessionWelcome); !ok {
				t.Error("somebody else is not let in")
			}
			resume := &arcp.Resume{SessionID: welcome.SessionID, ResumeToken: welcome.Payload.(*arcp.SessionWelcome).ResumeToken}
			if _, ok := enterPayload(enter(t, b, served, "alice", resume)).(*arcp.SessionWelcome); !ok {
				t.Error("a connection may not take the place of another of its session")
			}
			_ = first.Close("")
		})
	})
	t.Run("sessions", func(t *testing.T) {
		t.Parallel()
		inBench(t, func(l *runtime.Limits) { l.PrincipalSessions, l.ResumeWindow = 1, time.Minute }, func(b *bench, served *sync.WaitGroup) {
			c, _ := enter(t, b, served, "alice", nil)
			_ = c.Close("")
			synctest.Wait()
			if _, refused := enter(t, b, served, "alice", nil); over(t, refused) != "RATE_LIMITED principal_sessions 1" {
				t.Errorf("with a parked session another one got %+v", refused.Payload)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if _, ok := enterPayload(enter(t, b, served, "alice", nil)).(*arcp.SessionWelcome); !ok {
				t.Error("there is no room after the session has ended")
			}
		})
	})
	t.Run("jobs", func(t *testing.T) {
		t.Parallel()
		inBench(t, func(l *runtime.Limits) { l.PrincipalJobs = 1 }, func(b *bench, served *sync.WaitGroup) {
			one, hello := enter(t, b, served, "alice", nil)
			two, other := enter(t, b, served, "alice", nil)
			submit := &arcp.JobSubmit{Agent: "later", Input: arcp.RawJSON("1")}
			say(t, one, &arcp.Envelope{ID: "1", SessionID: hello.SessionID, Payload: submit})
			hear(t, one)
			say(t, two, &arcp.Envelope{ID: "2", SessionID: other.SessionID, Payload: submit})
			if got := over(t, hear(t, two)); got != "RATE_LIMITED principal_jobs 1" {
				t.Errorf("the second job got %q", got)
			}
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			say(t, two, &arcp.Envelope{ID: "3", SessionID: other.SessionID, Payload: &arcp.JobSubmit{Agent: "echo"}})
			if e := hear(t, two); over(t, e) != "" {
				t.Error("no job was taken after the other had ended")
			}
		})
	})
	t.Run("subscriptions", func(t *testing.T) {
		t.Parallel()
		inBench(t, func(l *runtime.Limits) { l.PrincipalSubscriptions = 1 }, func(b *bench, served *sync.WaitGroup) {
			one, hello := enter(t, b, served, "alice", nil)
			two, other := enter(t, b, served, "alice", nil)
			var jobs []string
			for range 2 {
				say(t, one, &arcp.Envelope{ID: "s", SessionID: hello.SessionID, Payload: &arcp.JobSubmit{Agent: "later", Input: arcp.RawJSON("1")}})
				jobs = append(jobs, hear(t, one).JobID)
			}
			follow := func(c transport.Conn, session, job string) *arcp.Envelope {
				say(t, c, &arcp.Envelope{ID: "f", SessionID: session, Payload: &arcp.JobSubscribe{JobID: job}})
				return hear(t, c)
			}
			follow(two, other.SessionID, jobs[0])
			if e := follow(two, other.SessionID, jobs[0]); over(t, e) != "" {
				t.Error("to subscribe twice is not to have two")
			}
			if got := over(t, follow(two, other.SessionID, jobs[1])); got != "RATE_LIMITED principal_subscriptions 1" {
				t.Errorf("the second subscription got %q", got)
			}
			time.Sleep(2 * time.Minute)
			if s := b.Stats(); s.Subscriptions != 0 {
				t.Errorf("%d subscriptions are counted after the jobs have ended", s.Subscriptions)
			}
		})
	})
}

func enterPayload(_ transport.Conn, e *arcp.Envelope) arcp.Payload { return e.Payload }

// inBench runs f in a bubble with a runtime of its own, which is shut down after it.
func inBench(t *testing.T, limit func(*runtime.Limits), f func(b *bench, served *sync.WaitGroup)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(o *runtime.Options) { limit(&o.Limits) })
		var served sync.WaitGroup
		f(b, &served)
		b.stop(t)
		served.Wait()
	})
}

// Submits come at a rate, to the nanosecond.
//
// guards T10
func TestSubmitRate(t *testing.T) {
	t.Parallel()
	inBench(t, func(l *runtime.Limits) { l.PrincipalSubmitRate, l.PrincipalSubmitBurst = 4, 2 }, func(b *bench, served *sync.WaitGroup) {
		c, hello := enter(t, b, served, "alice", nil)
		submit := func() string {
			say(t, c, &arcp.Envelope{ID: "1", SessionID: hello.SessionID, Payload: &arcp.JobSubmit{Agent: "wait"}})
			return over(t, hear(t, c))
		}
		for i, step := range []struct {
			after time.Duration
			ok    bool
		}{
			{0, true},
			{0, true},
			{0, false},
			{250*time.Millisecond - 1, false},
			{1, true},
			{0, false},
			{10 * time.Second, true},
			{0, true},
			{0, false},
		} {
			time.Sleep(step.after)
			if got := submit(); (got == "") != step.ok || got != "" && got != "RATE_LIMITED principal_submit_rate 4" {
				t.Errorf("submit %d: refused with %q, want accepted: %v", i, got, step.ok)
			}
		}
	})
}

// What is only asked comes at a rate of its own, which is one of all of a principal's links; others have theirs.
//
// guards T10
func TestRequestRate(t *testing.T) {
	t.Parallel()
	limit := func(l *runtime.Limits) { l.PrincipalRequestRate, l.PrincipalRequestBurst = 1, 3 }
	inBench(t, limit, func(b *bench, served *sync.WaitGroup) {
		ask := func(who string, p arcp.Payload) string {
			c, hello := enter(t, b, served, who, nil)
			defer func() { _ = c.Close("") }()
			say(t, c, &arcp.Envelope{ID: "1", SessionID: hello.SessionID, Payload: p})
			refused, ok := hear(t, c).Payload.(*arcp.SessionError)
			if !ok || refused.Details == nil {
				return ""
			}
			return string(refused.Details)
		}
		for n, c := range []struct {
			who  string
			p    arcp.Payload
			over bool
		}{
			{"alice", &arcp.JobUnsubscribe{JobID: "job_none"}, false},
			{"alice", &arcp.JobSubscribe{JobID: "job_none"}, false},
			{"alice", &arcp.JobCancel{JobID: "job_none"}, false},
			{"alice", &arcp.JobUnsubscribe{JobID: "job_none"}, true},
			{"bob", &arcp.JobUnsubscribe{JobID: "job_none"}, false},
			{"alice", &arcp.JobSubmit{Agent: "echo"}, false},
		} {
			if got := ask(c.who, c.p); strings.Contains(got, "principal_request_rate") != c.over {
				t.Errorf("request %d: %q, want refused: %v", n, got, c.over)
			}
		}
		time.Sleep(time.Second)
		if got := ask("alice", &arcp.JobUnsubscribe{JobID: "job_none"}); got != "" {
			t.Errorf("a second later: %q", got)
		}
	})
}

// keyTaken says once that somebody else has just reserved an idempotency key.
type keyTaken struct {
	store.Store
	said bool
}

func (k *keyTaken) Commit(ctx context.Context, b *store.Batch) error {
	if op := &b.Ops[0]; op.Create && op.Key.Kind == store.KindIdem && !k.said {
		k.said = true
		return store.ErrExists
	}
	return k.Store.Commit(ctx, b)
}

// A submit that has to be looked at again is not one of the principal's jobs twice.
func TestSubmitsCountOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(o *runtime.Options) {
			o.Limits.PrincipalJobs = 1
			o.Store = &keyTaken{Store: o.Store}
		})
		var served sync.WaitGroup
		c, hello := enter(t, b, &served, "alice", nil)
		submit := func(p *arcp.JobSubmit) *arcp.Envelope {
			say(t, c, &arcp.Envelope{ID: "1", SessionID: hello.SessionID, Payload: p})
			return hear(t, c)
		}
		if e := submit(&arcp.JobSubmit{Agent: "wait", IdempotencyKey: "k"}); e.JobID == "" {
			t.Errorf("the first job got %+v", e.Payload)
		}
		if got := over(t, submit(&arcp.JobSubmit{Agent: "wait"})); got != "RATE_LIMITED principal_jobs 1" {
			t.Errorf("the second job got %q", got)
		}
		b.stop(t)
		served.Wait()
	})
}

// What is forgotten does not count for what is kept, one job at a time.
func TestForgottenBytesDoNotCount(t *testing.T) {
	t.Parallel()
	inBench(t, func(l *runtime.Limits) { l.FinishedJobs = 1 }, func(b *bench, served *sync.WaitGroup) {
		c, hello := enter(t, b, served, "alice", nil)
		var first int64
		for n := range 5 {
			say(t, c, &arcp.Envelope{ID: "1", SessionID: hello.SessionID, Payload: &arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1")}})
			hear(t, c)
			hear(t, c)
			synctest.Wait()
			if got := b.Stats().StoredBytes; n == 0 {
				first = got
			} else if got != first || got == 0 {
				t.Errorf("after %d jobs of which one is remembered %d bytes are kept, want %d", n+1, got, first)
			}
		}
	})
}
