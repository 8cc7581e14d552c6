package runtime_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
)

// flood emits more than a log keeps, then waits.
func flood(ctx context.Context, t *runtime.Task) error {
	for range 100 {
		if err := think(ctx, t, strings.Repeat("x", 10<<10)); err != nil {
			return err
		}
	}
	if err := t.Flush(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// TestRefusedHistoryEndsNoSubscription: a session that asks for history which is not kept any more stays subscribed, and the subscription
// counts.
func TestRefusedHistoryEndsNoSubscription(t *testing.T) {
	t.Parallel()
	bounded(t, func(o *runtime.Options) { o.Limits.LogBytes, o.Limits.SessionSubscriptions = 1, 1 }, func(t *testing.T, b *bench, _ transport.Conn, _ string) {
		if err := b.Handle("flood", runtime.AgentFunc(flood)); err != nil {
			t.Fatal(err)
		}
		var served sync.WaitGroup
		defer served.Wait()
		var jobs [2]string
		for i := range jobs {
			c, welcome := greet(t, b, &served, nil)
			say(t, c, &arcp.Envelope{ID: "m", SessionID: welcome.SessionID, Payload: &arcp.JobSubmit{Agent: "flood"}})
			jobs[i] = hear(t, c).JobID
			_ = c.Close("")
		}
		synctest.Wait() // the logs have dropped what came first
		w, welcome := greet(t, b, &served, nil, arcp.FeatureSubscribe)
		defer func() { _ = w.Close("") }()
		ask := func(p arcp.Payload) arcp.Payload {
			say(t, w, &arcp.Envelope{ID: "m", SessionID: welcome.SessionID, Payload: p})
			return hear(t, w).Payload
		}
		if p, ok := ask(&arcp.JobSubscribe{JobID: jobs[0]}).(*arcp.JobSubscribed); !ok {
			t.Fatalf("subscribe is answered with %+v", p)
		}
		if e, ok := ask(&arcp.JobSubscribe{JobID: jobs[0], History: true}).(*arcp.SessionError); !ok || e.Code != arcp.CodeResumeWindowExpired {
			t.Fatalf("history that is gone is answered with %+v", e)
		}
		if p, ok := ask(&arcp.JobSubscribe{JobID: jobs[1]}).(*arcp.SessionError); !ok {
			t.Errorf("a second subscription is answered with %+v, want a refusal: there may be one", p)
		}
	})
}

// TestPolicyShowsAJob: a job of somebody else that the policy shows may be watched and not cancelled, and a subscription be ended when the
// policy is another.
func TestPolicyShowsAJob(t *testing.T) {
	t.Parallel()
	var shown atomic.Bool
	shown.Store(true)
	observe := func(observer, _, _ string) bool { return shown.Load() && observer == "alice" }
	bounded(t, func(o *runtime.Options) { o.Observe = observe }, func(t *testing.T, b *bench, _ transport.Conn, _ string) {
		var served sync.WaitGroup
		defer served.Wait()
		ours, bob := transport.Pipe()
		served.Go(func() { _ = b.Serve(context.Background(), ours) })
		defer func() { _ = bob.Close("") }()
		say(t, bob, &arcp.Envelope{ID: "h", Payload: &arcp.SessionHello{Client: arcp.Software{Name: "t"}, Auth: arcp.Auth{Token: arcp.MakeSecret("bob")}}})
		his := hear(t, bob).SessionID
		say(t, bob, &arcp.Envelope{ID: "m", SessionID: his, Payload: &arcp.JobSubmit{Agent: "wait"}})
		job := hear(t, bob).JobID

		c, welcome := greet(t, b, &served, nil, arcp.FeatureSubscribe)
		defer func() { _ = c.Close("") }()
		ask := func(p arcp.Payload) arcp.Payload {
			say(t, c, &arcp.Envelope{ID: "m", SessionID: welcome.SessionID, Payload: p})
			return hear(t, c).Payload
		}
		refused := func(p arcp.Payload, code arcp.ErrorCode) {
			t.Helper()
			if e, ok := p.(*arcp.SessionError); !ok || e.Code != code {
				t.Errorf("got %+v, want %s", p, code)
			}
		}
		if p, ok := ask(&arcp.JobSubscribe{JobID: job}).(*arcp.JobSubscribed); !ok {
			t.Fatalf("subscribe is answered with %+v", p)
		}
		refused(ask(&arcp.JobCancel{JobID: job}), arcp.CodePermissionDenied)
		shown.Store(false)
		refused(ask(&arcp.JobCancel{JobID: job}), arcp.CodeJobNotFound)
		say(t, c, &arcp.Envelope{ID: "u", SessionID: welcome.SessionID, Payload: &arcp.JobUnsubscribe{JobID: job}})
		refused(ask(&arcp.JobSubscribe{JobID: job}), arcp.CodeJobNotFound) // and the unsubscribe was not refused
		say(t, bob, &arcp.Envelope{ID: "c", SessionID: his, Payload: &arcp.JobCancel{JobID: job}})
		hear(t, bob)                                                         // cancelled
		hear(t, bob)                                                         // the end
		refused(ask(&arcp.JobUnsubscribe{JobID: job}), arcp.CodeJobNotFound) // no end of a job precedes it
	})
}
