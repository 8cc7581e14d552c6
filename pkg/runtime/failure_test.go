package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

var errDisk = errors.New("no space left on device")

// broken is a store whose commits fail from one on.
type broken struct {
	store.Store
	mu   sync.Mutex
	left int
}

func (b *broken) Commit(ctx context.Context, batch *store.Batch) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left--; b.left < 0 {
		return &store.BatchError{Key: batch.Ops[0].Key, Err: errDisk}
	}
	return b.Store.Commit(ctx, batch)
}

// TestFailedStore lets each commit of a conversation be the first that fails: the runtime ends, says why, and nobody was shown what the
// next one does not know.
func TestFailedStore(t *testing.T) {
	for n := range 14 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			onLives(t, func(t *testing.T, l *lives) {
				whole := l.store
				l.store = &mortal{Memory: whole.Memory, level: whole.level}
				b := &broken{Store: l.store, left: n}
				l.more = func(o *runtime.Options) { o.Store = b }
				l.dead = append(l.dead, l.a)
				l.begin(t)
				shown := l.converse(t)
				synctest.Wait()
				select {
				case <-l.a.Failed():
				default:
					t.Fatalf("commit %d failed and the runtime goes on", n)
				}
				if err := l.a.Err(); !errors.Is(err, errDisk) {
					t.Errorf("Err() = %v, want what the store said", err)
				}
				if err := l.a.Serve(t.Context(), nobody()); !errors.Is(err, errDisk) || !errors.Is(err, runtime.ErrShutdown) {
					t.Errorf("Serve after the failure = %v", err)
				}
				l.die(t)
				l.more = nil
				l.begin(t)
				p := l.join(t, l.a, "alice")
				for _, id := range shown {
					p.say("s", &arcp.JobSubscribe{JobID: id, History: true})
					if _, ok := hear(t, p.conn).Payload.(*arcp.JobSubscribed); !ok {
						t.Errorf("job %s was accepted and is not there (commit %d)", id, n)
					}
					for p.last = 0; ; {
						if e := hear(t, p.conn); e.Payload.MessageType() != arcp.TypeJobEvent {
							break
						}
					}
				}
			})
		})
	}
}

// converse submits jobs until the link ends, and returns those that were accepted.
func (l *lives) converse(t *testing.T) (accepted []string) {
	t.Helper()
	p := &peer{t: t, n: l.nodes, who: "alice"}
	p.dial(l.a)
	p.say("hello", &arcp.SessionHello{
		Client: arcp.Software{Name: "test"}, Auth: arcp.Auth{Token: arcp.MakeSecret("alice")},
		Capabilities: &arcp.ClientCapabilities{Features: []arcp.Feature{arcp.FeatureSubscribe}},
	})
	for {
		frame, err := p.conn.Read(nil)
		if err != nil {
			return accepted
		}
		e, err := arcp.Decode(frame)
		if err != nil {
			t.Fatal(err)
		}
		var next arcp.Payload
		switch a := e.Payload.(type) {
		case *arcp.SessionWelcome:
			p.session = e.SessionID
			next = &arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1")}
		case *arcp.JobAccepted:
			accepted = append(accepted, a.JobID)
			next = &arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1"), IdempotencyKey: a.JobID}
		default:
			continue
		}
		out := &arcp.Envelope{ID: arcp.NewID(arcp.PrefixMessage), SessionID: p.session, Payload: next}
		if text, err := out.AppendJSON(nil); err != nil || p.conn.Write(text) != nil || p.conn.Flush() != nil {
			return accepted
		}
	}
}

// TestDrain: at the end of its time a runtime leaves the jobs that may run again to the next, and ends the others with the reason.
// guards A13.
func TestDrain(t *testing.T) {
	for _, level := range []store.Durability{store.ProcessKill, store.Volatile} {
		t.Run(fmt.Sprint(level), func(t *testing.T) {
			onLives(t, func(t *testing.T, l *lives) {
				l.store.level = level
				p := l.join(t, l.a, "alice")
				p.submit(&arcp.JobSubmit{Agent: "again"})
				p.submit(&arcp.JobSubmit{Agent: "steps"})
				down := make(chan error, 1)
				go func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					down <- l.a.Shutdown(ctx)
				}()
				stopped := "job.error INTERNAL_ERROR true"
				p.want(stopped)
				if level == store.Volatile {
					p.want(stopped)
				}
				p.want("session.bye")
				if err := <-down; !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Shutdown = %v, want that its time was over", err)
				}
				l.dead = append(l.dead, l.a)
				l.begin(t)
				if level == store.Volatile {
					p.claim(l.a, "alice", p.token, p.last)
					p.want("session.error RESUME_WINDOW_EXPIRED")
					return
				}
				time.Sleep(9 * time.Minute)
				p.resume(l.a, 1)
				p.want("job.accepted", `restarted {"attempt":2}`)
				close(l.steps)
				p.want(`result "done"`)
			})
		})
	}
}
