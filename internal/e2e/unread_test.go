package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// unreadSize is many times what a client of TestUnreadResults keeps.
const unreadSize = 1_000_000

// TestUnreadResults: of a streamed result the client keeps a part, whoever reads it and when, and has the rest from the runtime again.
func TestUnreadResults(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(*testing.T, *local, *client.Session, *client.Job) *client.Job{
		"after the end": func(t *testing.T, _ *local, _ *client.Session, j *client.Job) *client.Job {
			return j
		},
		"after the last event": func(t *testing.T, _ *local, _ *client.Session, j *client.Job) *client.Job {
			drain(t, j)
			return j
		},
		"by who came late": func(t *testing.T, w *local, _ *client.Session, j *client.Job) *client.Job {
			late, err := connectSmall(t, w).Subscribe(t.Context(), j.ID(), nil)
			if err != nil {
				t.Fatal(err)
			}
			return late
		},
		"by another process": func(t *testing.T, w *local, s *client.Session, j *client.Job) *client.Job {
			if _, err := j.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
			next, err := client.Resume(t.Context(), w, s.State(), small())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = next.Close(context.Background()) })
			again, err := next.Attach(t.Context(), j.ID())
			if err != nil {
				t.Fatal(err)
			}
			return again
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, s, j := unread(t)
				defer w.close()
				if got := readResult(t, read(t, w, s, j)); !bytes.Equal(got, content(unreadSize, true)) {
					t.Errorf("%d bytes, want the %d of the result", len(got), unreadSize)
				}
			})
		})
	}
}

// TestAResultAskedForAnew: frames of a job go to one Job; the reader of an older one is told.
func TestAResultAskedForAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, s, j := unread(t)
		defer w.close()
		r, err := j.ResultReader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		drain(t, j)
		again := submitUnread(t, s)
		if again == j {
			t.Fatal("a job that was read to its end came again")
		}
		if _, err := io.ReadAll(r); !errors.Is(err, client.ErrEventsShed) {
			t.Errorf("the first reader ends with %v, want ErrEventsShed", err)
		}
		if got := readResult(t, again); !bytes.Equal(got, content(unreadSize, true)) {
			t.Errorf("%d bytes, want the %d of the result", len(got), unreadSize)
		}
	})
}

func small() *client.Options {
	return &client.Options{Token: "alice", EventBytes: 150_000, ResultBytes: 250_000}
}

func connectSmall(t *testing.T, w *local) *client.Session {
	t.Helper()
	s, err := client.Connect(t.Context(), w, small())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// unread is a job that has ended, and nobody has read anything of it.
func unread(t *testing.T) (*local, *client.Session, *client.Job) {
	t.Helper()
	w := openLocal(t, map[string]arcprt.AgentFunc{
		"text": func(ctx context.Context, t *arcprt.Task) error { return produce(ctx, t, arcp.EncodingUTF8) },
	})
	s := connectSmall(t, w)
	j := submitUnread(t, s)
	if _, err := j.Result(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w, s, j
}

func submitUnread(t *testing.T, s *client.Session) *client.Job {
	t.Helper()
	j, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: "text", Input: arcp.RawJSON("1000000"), IdempotencyKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func drain(t *testing.T, j *client.Job) {
	t.Helper()
	for _, err := range j.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
	}
}
