package runtime_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
)

// client opens a session over a pipe and returns its end.
func client(t *testing.T, b *bench, served *sync.WaitGroup) (conn transport.Conn, session string) {
	t.Helper()
	ours, theirs := transport.Pipe()
	served.Go(func() { _ = b.Serve(context.Background(), ours) })
	say(t, theirs, &arcp.Envelope{ID: "h", Payload: &arcp.SessionHello{
		Client: arcp.Software{Name: "test"}, Auth: arcp.Auth{Token: arcp.MakeSecret("alice")},
	}})
	return theirs, hear(t, theirs).SessionID
}

func say(t *testing.T, c transport.Conn, e *arcp.Envelope) {
	t.Helper()
	frame, err := e.AppendJSON(nil)
	if err := errors.Join(err, c.Write(frame), c.Flush()); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c transport.Conn) *arcp.Envelope {
	t.Helper()
	frame, err := c.Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := arcp.Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestShutdownTwice: both calls return, whoever comes first.
func TestShutdownTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		var served sync.WaitGroup
		conn, session := client(t, b, &served)
		say(t, conn, &arcp.Envelope{ID: "m", SessionID: session, Payload: &arcp.JobSubmit{Agent: "later", Input: arcp.RawJSON("1")}})
		var downs sync.WaitGroup
		for range 2 {
			downs.Go(func() {
				if err := b.Shutdown(context.Background()); err != nil {
					t.Errorf("Shutdown = %v", err)
				}
			})
		}
		var last arcp.Payload
		for {
			frame, err := conn.Read(nil)
			if err != nil {
				break
			}
			e, err := arcp.Decode(frame)
			if err != nil {
				t.Fatal(err)
			}
			last = e.Payload
		}
		if _, ok := last.(*arcp.SessionBye); !ok {
			t.Errorf("last frame is %T, want session.bye behind the job's end", last)
		}
		downs.Wait()
		served.Wait()
	})
}

// TestShutdownIsBounded: a client that takes nothing does not hold it up beyond its context.
func TestShutdownIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		var served sync.WaitGroup
		conn, session := client(t, b, &served)
		say(t, conn, &arcp.Envelope{ID: "m", SessionID: session, Payload: &arcp.JobSubmit{Agent: "emit", Input: arcp.RawJSON("100000")}})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_ = b.Shutdown(ctx)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("Shutdown took %v with 3 s to go", took)
		}
		_ = conn.Close("")
		served.Wait()
	})
}

// TestLongIDsAreNotEchoed: an answer is never larger than a frame may be because the question was.
func TestLongIDsAreNotEchoed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		var served sync.WaitGroup
		conn, session := client(t, b, &served)
		say(t, conn, &arcp.Envelope{ID: strings.Repeat("x", 1<<20), SessionID: session, Payload: &arcp.JobSubmit{Agent: "echo"}})
		e, ok := hear(t, conn).Payload.(*arcp.SessionError)
		if !ok || e.Code != arcp.CodeInvalidRequest || e.RequestID != "" {
			t.Errorf("answer = %+v, want INVALID_REQUEST without the id", e)
		}
		_ = conn.Close("")
		served.Wait()
		b.stop(t)
	})
}

// TestTakeOver: a resume takes the session from a link that still lives; the old one is told why and reads nothing more, and its end
// does not touch the new one. guards A9, A10.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.stop(t)
		var served sync.WaitGroup
		defer served.Wait()
		ours, old := transport.Pipe()
		served.Go(func() { _ = b.Serve(context.Background(), ours) })
		hello := &arcp.SessionHello{Client: arcp.Software{Name: "test"}, Auth: arcp.Auth{Token: arcp.MakeSecret("alice")}}
		say(t, old, &arcp.Envelope{ID: "h", Payload: hello})
		first := hear(t, old)
		say(t, old, &arcp.Envelope{ID: "m", SessionID: first.SessionID, Payload: &arcp.JobSubmit{Agent: "hold"}})
		for range 3 { // accepted and two events
			hear(t, old)
		}
		ours, young := transport.Pipe()
		served.Go(func() { _ = b.Serve(context.Background(), ours) })
		hello.Resume = &arcp.Resume{
			SessionID: first.SessionID, ResumeToken: first.Payload.(*arcp.SessionWelcome).ResumeToken, LastEventSeq: 1,
		}
		say(t, young, &arcp.Envelope{ID: "h", Payload: hello})
		lost, ok := hear(t, old).Payload.(*arcp.SessionError)
		if !ok || lost.Code != arcp.CodeHeartbeatLost || !strings.Contains(string(lost.Details), arcp.ReasonTakenOver) {
			t.Errorf("the old link hears %+v, want HEARTBEAT_LOST, taken_over", lost)
		}
		if _, err := old.Read(nil); err == nil {
			t.Error("the old link goes on")
		}
		if w := hear(t, young); w.SessionID != first.SessionID {
			t.Errorf("welcome of session %s, want %s", w.SessionID, first.SessionID)
		}
		if e := hear(t, young); e.EventSeq != 2 {
			t.Errorf("event_seq %d, want 2", e.EventSeq)
		}
		synctest.Wait() // the old link has unwound
		say(t, young, &arcp.Envelope{ID: "c", SessionID: first.SessionID, Payload: &arcp.JobCancel{JobID: hearJob(t, b)}})
		if _, ok := hear(t, young).Payload.(*arcp.JobCancelled); !ok {
			t.Error("cancel over the new link was not taken")
		}
		_ = young.Close("")
	})
}

func hearJob(t *testing.T, b *bench) string {
	t.Helper()
	page, err := b.Store.Jobs(t.Context(), "alice", store.Filter{}, store.Cursor{}, 10)
	if err != nil || len(page.Rows) != 1 {
		t.Fatalf("%d jobs, %v", len(page.Rows), err)
	}
	return page.Rows[0].JobID
}
