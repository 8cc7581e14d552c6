package runtime_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

// greet opens a link of alice's, to the session to resume when there is one, and returns the answer to its hello.
func greet(t *testing.T, b *bench, served *sync.WaitGroup, resume *arcp.Resume, features ...arcp.Feature) (transport.Conn, *arcp.Envelope) {
	t.Helper()
	ours, theirs := transport.Pipe()
	served.Go(func() { _ = b.Serve(context.Background(), ours) })
	say(t, theirs, &arcp.Envelope{ID: "h", Payload: &arcp.SessionHello{
		Client: arcp.Software{Name: "test"}, Auth: arcp.Auth{Token: arcp.MakeSecret("alice")}, Resume: resume,
		Capabilities: &arcp.ClientCapabilities{Features: features},
	}})
	return theirs, hear(t, theirs)
}

// after is what resumes a session behind a number.
func after(welcome *arcp.Envelope, last uint64) *arcp.Resume {
	return &arcp.Resume{
		SessionID: welcome.SessionID, ResumeToken: welcome.Payload.(*arcp.SessionWelcome).ResumeToken, LastEventSeq: last,
	}
}

// TestResumeWithManyAnswers: what a resume says again may be more than the control lane holds. guards A1.
func TestResumeWithManyAnswers(t *testing.T) {
	t.Parallel()
	bounded(t, nil, func(t *testing.T, b *bench, _ transport.Conn, _ string) {
		var served sync.WaitGroup
		defer served.Wait()
		c, welcome := greet(t, b, &served, nil)
		lease := arcp.Lease{"tool.call": nil}
		for i := range 200 {
			lease["tool.call"] = append(lease["tool.call"], fmt.Sprint(i, strings.Repeat("x", 1000)))
		}
		const jobs = 2 + arcp.LimitControlBytes/200_000
		for i := range jobs {
			say(t, c, &arcp.Envelope{ID: fmt.Sprint(i), SessionID: welcome.SessionID, Payload: &arcp.JobSubmit{Agent: "wait", LeaseRequest: lease}})
			hear(t, c)
		}
		_ = c.Close("")
		c, _ = greet(t, b, &served, after(welcome, 0))
		for i := range jobs {
			if p, ok := hear(t, c).Payload.(*arcp.JobAccepted); !ok || p.RequestID != fmt.Sprint(i) {
				t.Fatalf("answer %d is %+v", i, p)
			}
		}
		_ = c.Close("")
	})
}

// TestLeaseThatNoAnswerHolds: a job is refused when something that must be said about it would not fit a frame, for a session that is owed
// such an answer could never be resumed.
func TestLeaseThatNoAnswerHolds(t *testing.T) {
	t.Parallel()
	bounded(t, nil, func(t *testing.T, b *bench, _ transport.Conn, _ string) {
		var served sync.WaitGroup
		defer served.Wait()
		c, welcome := greet(t, b, &served, nil, arcp.FeatureSubscribe)
		lease := arcp.Lease{}
		for size := 0; size < arcp.LimitFrameOut-450; {
			name := fmt.Sprintf("x-vendor.a.n%05d%s", len(lease), strings.Repeat("x", 30))
			lease[name] = []string{}
			size += len(`"":[],`) + len(name)
		}
		say(t, c, &arcp.Envelope{ID: "m", SessionID: welcome.SessionID, Payload: &arcp.JobSubmit{Agent: "wait", LeaseRequest: lease}})
		switch p := hear(t, c).Payload.(type) {
		case *arcp.SessionError:
			if p.Code != arcp.CodeInvalidRequest {
				t.Errorf("refused with %+v", p)
			}
		case *arcp.JobAccepted:
			id := strings.Repeat("i", arcp.LimitIDLength)
			say(t, c, &arcp.Envelope{ID: id, SessionID: welcome.SessionID, Payload: &arcp.JobSubscribe{JobID: p.JobID}})
			if _, ok := hear(t, c).Payload.(*arcp.JobSubscribed); !ok {
				t.Error("the job cannot be subscribed to")
			}
		}
		_ = c.Close("")
		c, welcome = greet(t, b, &served, after(welcome, 0))
		if _, ok := welcome.Payload.(*arcp.SessionWelcome); !ok {
			t.Errorf("the resume is answered with %+v", welcome.Payload)
		}
		_ = c.Close("")
	})
}

// TestStreamedResultForWhoComesLate: a session without result_chunk gets the result whole, though all that were there at the end took
// chunks: by a subscription and by the key.
func TestStreamedResultForWhoComesLate(t *testing.T) {
	t.Parallel()
	bounded(t, nil, func(t *testing.T, b *bench, _ transport.Conn, _ string) {
		var served sync.WaitGroup
		defer served.Wait()
		c, welcome := greet(t, b, &served, nil, arcp.FeatureResultChunk)
		submit := &arcp.JobSubmit{Agent: "chunks", IdempotencyKey: "k"}
		say(t, c, &arcp.Envelope{ID: "m", SessionID: welcome.SessionID, Payload: submit})
		job := hear(t, c).JobID
		for hear(t, c).Type != arcp.TypeJobResult {
		}
		_ = c.Close("")
		for _, ask := range []arcp.Payload{&arcp.JobSubscribe{JobID: job, History: true}, submit} {
			c, welcome = greet(t, b, &served, nil, arcp.FeatureSubscribe)
			say(t, c, &arcp.Envelope{ID: "m", SessionID: welcome.SessionID, Payload: ask})
			hear(t, c)
			if end, ok := hear(t, c).Payload.(*arcp.JobResult); !ok || string(end.Result) != `"abcdééééé"` {
				t.Errorf("%s brings %+v, want the whole result", ask.MessageType(), end)
			}
			_ = c.Close("")
		}
	})
}
