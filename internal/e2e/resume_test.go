package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
)

// drainFrames reads numbered frames, which must go on from last, to the end of the connection or of the job, and returns the last number and
// whether the job ended.
func drainFrames(t *testing.T, c transport.Conn, last uint64) (uint64, bool) {
	t.Helper()
	for {
		frame, err := c.Read(nil)
		if err != nil {
			return last, false
		}
		e, err := arcp.Decode(frame)
		if err != nil {
			t.Fatal(err)
		}
		if e.EventSeq == 0 {
			continue
		}
		if e.EventSeq != last+1 {
			t.Fatalf("event_seq %d after %d", e.EventSeq, last)
		}
		last = e.EventSeq
		if _, ok := e.Payload.(*arcp.JobResult); ok {
			return last, true
		}
	}
}

// TestCutReaderResumes: a reader that stopped is cut with its reason while the job runs on; it resumes, more than once if need be, and gets
// every number once. guards A1, A5, A16, J1.
func TestCutReaderResumes(t *testing.T) {
	const events = 30_000
	done := make(chan error, 1)
	w := open(t, func(o *arcprt.Options) { o.Limits.UnwrittenBytes, o.Limits.LogBytes = 1<<20, 64<<20 }, map[string]arcprt.AgentFunc{
		"flood": func(ctx context.Context, t *arcprt.Task) error {
			var err error
			for range events {
				if err = t.Emit(ctx, &arcp.ThoughtBody{Text: strings.Repeat("x", 200)}); err != nil {
					break
				}
			}
			done <- err
			return err
		},
	})
	c := w.raw()
	send(t, c, hello("alice"))
	welcome := receive(t, c)
	session, token := welcome.SessionID, welcome.Payload.(*arcp.SessionWelcome).ResumeToken
	send(t, c, &arcp.Envelope{ID: "m", SessionID: session, Payload: &arcp.JobSubmit{Agent: "flood"}})
	if err := <-done; err != nil {
		t.Fatalf("the emitter was held up or refused: %v", err)
	}
	last, ended := drainFrames(t, c, 0)
	if ended {
		t.Fatal("the reader was not cut: the test floods too little")
	}
	for links := 0; !ended; links++ {
		if links > 10 {
			t.Fatalf("after %d links the end has not come; event_seq %d", links, last)
		}
		c = w.raw()
		h := hello("alice")
		h.Payload.(*arcp.SessionHello).Resume = &arcp.Resume{SessionID: session, ResumeToken: token, LastEventSeq: last}
		send(t, c, h)
		answer := receive(t, c)
		again, ok := answer.Payload.(*arcp.SessionWelcome)
		if !ok {
			t.Fatalf("resume from %d got %+v", last, answer.Payload)
		}
		token = again.ResumeToken
		last, ended = drainFrames(t, c, last)
	}
	if last != events+1 {
		t.Errorf("the last number is %d, want %d", last, events+1)
	}
}

// TestHistoryLargerThanTheCap is replayed to a reader that reads. guards A5, B1.
func TestHistoryLargerThanTheCap(t *testing.T) {
	const events = 20_000
	w := open(t, func(o *arcprt.Options) { o.Limits.UnwrittenBytes = 256 << 10 }, map[string]arcprt.AgentFunc{
		"many": func(ctx context.Context, t *arcprt.Task) error {
			for i := range events {
				if err := t.Emit(ctx, &arcp.ThoughtBody{Text: fmt.Sprint(i)}); err != nil {
					return err
				}
				if i%100 == 99 {
					if err := t.Flush(ctx); err != nil {
						return err
					}
				}
			}
			return nil
		},
	})
	j := w.submit(w.connect("alice"), "many", "null")
	if _, err := j.Result(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen, err := w.connect("alice").Subscribe(t.Context(), j.ID(), &client.SubscribeOptions{History: true})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ev, err := range seen.Events(t.Context()) {
		if err != nil || ev.Body.(*arcp.ThoughtBody).Text != fmt.Sprint(n) {
			t.Fatalf("event %d: %+v, %v", n, ev, err)
		}
		n++
	}
	if n != events {
		t.Errorf("%d events, want %d", n, events)
	}
	if _, err := seen.Result(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestFlatOutEmitter: an agent that emits without a pause does not cost a reader that reads its session, nor the jobs beside it.
func TestFlatOutEmitter(t *testing.T) {
	const events = 50_000 // several times what may be unwritten
	w := open(t, func(o *arcprt.Options) { o.Limits.UnwrittenBytes, o.Limits.LogBytes = 1<<20, 32<<20 }, map[string]arcprt.AgentFunc{
		"echo": echo,
		"flood": func(ctx context.Context, t *arcprt.Task) error {
			for range events {
				if err := t.Emit(ctx, &arcp.ThoughtBody{Text: "on and on and on"}); err != nil {
					return err
				}
			}
			return nil
		},
	})
	s := w.connect("alice")
	j := w.submit(s, "flood", "null")
	n := 0
	for ev, err := range j.Events(t.Context()) {
		if err != nil {
			t.Fatalf("event %d: %v", n, err)
		}
		if _, told := ev.Body.(*arcp.StatusBody); told {
			continue // of back pressure
		}
		if n++; n%20_000 == 0 {
			if _, err := w.submit(s, "echo", "1").Result(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n != events {
		t.Errorf("%d events, want %d", n, events)
	}
}
