package link_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// guards J2
func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		l := link.New(faulty.New(a, faulty.Plan{FreezeWrite: 2}), link.Options{WriteTimeout: 7 * time.Second})
		end := run(l, ignore)
		begin := time.Now()
		_ = l.Send(ping("1"))
		synctest.Wait()
		time.Sleep(time.Minute) // at rest no deadline runs
		_ = l.Send(ping("2"))
		if err := <-end; !errors.Is(err, link.ErrWriteTimeout) {
			t.Errorf("Run = %v, want ErrWriteTimeout", err)
		}
		if got := time.Since(begin); got != 67*time.Second {
			t.Errorf("ended after %v, want 67s", got)
		}
		_ = b.Close("")
	})
}

// Close of a link whose peer takes nothing is bounded.
func TestDrainBounded(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		limit time.Duration // of the context; 0: none
		want  time.Duration
		err   error
	}{{"by the option", 0, 3 * time.Second, nil}, {"by the context", time.Second, time.Second, context.DeadlineExceeded}} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := transport.Pipe()
				l := link.New(faulty.New(a, faulty.Plan{FreezeWrite: 1}), link.Options{DrainTimeout: 3 * time.Second})
				end := run(l, ignore)
				_ = l.Send(ping("x"))
				ctx := t.Context()
				if tc.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tc.limit)
					defer cancel()
				}
				begin := time.Now()
				if err := l.Drain(ctx, "over"); !errors.Is(err, tc.err) {
					t.Errorf("Drain = %v, want %v", err, tc.err)
				}
				if got := time.Since(begin); got != tc.want {
					t.Errorf("Drain took %v, want %v", got, tc.want)
				}
				<-end
				_ = b.Close("")
			})
		})
	}
}

func TestCloseFromEverywhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		l := link.New(a, link.Options{})
		end := run(l, func(*arcp.Envelope) error {
			t.Error("handled after Close")
			return nil
		})
		for range 4 {
			go l.Close("over")
			go l.Wake()
			go func() { _ = l.Send(ping("x")) }()
		}
		synctest.Wait()
		_ = b.Write([]byte(text(t, ping("late"))))
		_ = b.Flush()
		if err := <-end; !errors.Is(err, link.ErrClosed) {
			t.Errorf("Run = %v", err)
		}
		<-l.Done()
	})
}

// What arrives while a closing link still writes its last words is not handled.
func TestNothingIsHandledWhileDraining(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		l := link.New(faulty.New(a, faulty.Plan{FreezeWrite: 1}), link.Options{})
		handled := 0
		end := run(l, func(*arcp.Envelope) error { handled++; return nil })
		_ = l.Send(ping("stuck"))
		put(t, b, text(t, ping("before")))
		synctest.Wait()
		l.Close("over")
		put(t, b, text(t, ping("after")), "{")
		synctest.Wait()
		if handled != 1 {
			t.Errorf("%d frames handled, want the one before Close", handled)
		}
		<-end
		_ = b.Close("")
	})
}

// Nothing of the bulk lane follows the last frame, though the source had something when it was sent.
func TestFinishIsTheLast(t *testing.T) {
	t.Parallel()
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := transport.Pipe()
			l := link.New(ours, link.Options{Source: endless{}})
			end := run(l, ignore)
			l.Wake()
			go l.Finish(ping("last"), "done")
			got := readAll(theirs)
			if len(got) == 0 || got[len(got)-1] != "last" {
				t.Fatalf("the last of %d frames is %q", len(got), got[max(0, len(got)-1):])
			}
			<-end
		})
	}
}

// endless is a source that always has another frame.
type endless struct{}

func (endless) Fill(b *link.Batch) (bool, error) {
	buf, ends, _, _ := b.Lend()
	buf = append(buf, `{"more":1}`...)
	b.Return(buf, append(ends, len(buf)))
	return true, nil
}
