package e2e

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// TestSubmitAgain: the same key gives the same job with its history and end, whether it is asked by the session that has seen it all, by one
// that still holds it, or by another. guards D5, D8.
func TestSubmitAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := openLocal(t, map[string]arcprt.AgentFunc{"count": count})
		defer w.close()
		a, b := persist(t, w), persist(t, w)
		submit := func(s *client.Session) *client.Job {
			j, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: "count", IdempotencyKey: "k"})
			if err != nil {
				t.Fatal(err)
			}
			return j
		}
		first := submit(a)
		if twin := submit(a); twin != first {
			t.Errorf("a second submit gave another job: %v", twin)
		}
		wantThoughts(t, "first", first, events)
		for name, s := range map[string]*client.Session{"same session": a, "other session": b} {
			j := submit(s)
			if j.ID() != first.ID() {
				t.Errorf("%s: job %s, want %s", name, j.ID(), first.ID())
			}
			wantThoughts(t, name, j, events)
		}
		_, _ = a.Close(t.Context()), b.Close(t.Context())
	})
}

// TestCancelFromAnotherProcess: the right to cancel goes with the session, to whoever resumes it; an observer has none. The one that lost the
// session is told so, and does not take it back. guards C6, A9, K7.
func TestCancelFromAnotherProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := openLocal(t, map[string]arcprt.AgentFunc{"endless": endless})
		defer w.close()
		a, b := persist(t, w), persist(t, w)
		j, err := a.Submit(t.Context(), &arcp.JobSubmit{Agent: "endless"})
		if err != nil {
			t.Fatal(err)
		}
		seen, err := b.Subscribe(t.Context(), j.ID(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := seen.Cancel(t.Context(), ""); !errors.Is(err, arcp.CodePermissionDenied) {
			t.Errorf("an observer's Cancel = %v, want PERMISSION_DENIED", err)
		}
		c, err := client.Resume(t.Context(), w, a.State(), &client.Options{Token: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		<-a.Done()
		if _, err := j.Result(t.Context()); !errors.Is(err, client.ErrTakenOver) || errors.Is(err, client.ErrLinkLost) {
			t.Errorf("Result of the session taken over = %v, want ErrTakenOver", err)
		}
		mine, err := c.Attach(t.Context(), j.ID())
		if err == nil {
			err = mine.Cancel(t.Context(), "enough")
		}
		if err != nil {
			t.Fatalf("Attach, Cancel = %v", err)
		}
		for _, j := range []*client.Job{mine, seen} {
			if _, err := j.Result(t.Context()); !errors.Is(err, arcp.CodeCancelled) {
				t.Errorf("Result = %v, want CANCELLED", err)
			}
		}
		_, _ = b.Close(context.Background()), c.Close(context.Background())
	})
}

// TestGoodbyeOfOneThatHasItAll: a client that has read all and closes leaves no session behind, though its last acknowledgement was not due yet.
func TestGoodbyeOfOneThatHasItAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := openLocal(t, map[string]arcprt.AgentFunc{"count": count})
		defer w.close()
		s := persist(t, w)
		j, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: "count"})
		if err != nil {
			t.Fatal(err)
		}
		wantThoughts(t, "owner", j, events)
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := w.rt.Stats().Sessions; n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}
