package link_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// queue is a source that any goroutine feeds.
type queue struct {
	mu     sync.Mutex
	frames []string
	fail   error
	fills  int
	full   int // the most frames of one Fill
	onFill func()
}

func (q *queue) add(frames ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.frames = append(q.frames, frames...)
}

func (q *queue) Fill(b *link.Batch) (bool, error) {
	if q.onFill != nil {
		q.onFill()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fills++
	buf, ends, maxBytes, maxFrames := b.Lend()
	for len(q.frames) > 0 && len(buf) < maxBytes && len(ends) < maxFrames {
		buf = append(buf, q.frames[0]...)
		ends = append(ends, len(buf))
		q.frames = q.frames[1:]
	}
	b.Return(buf, ends)
	q.full = max(q.full, len(ends))
	return len(q.frames) > 0, q.fail
}

func TestBulkInBatches(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		n, size   int
		fills     int
		batchMost int
	}{{"small", 200, 100, 4, 64}, {"large", 10, 40_000, 5, 2}, {"huge", 3, 200_000, 3, 1}} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := transport.NewPipe(transport.PipeOptions{Bytes: 10 << 20})
				q := &queue{}
				var want []string
				for i := range tc.n {
					want = append(want, fmt.Sprint(i, strings.Repeat(".", tc.size)))
				}
				q.add(want...)
				l := link.New(a, link.Options{})
				end := run(l, ignore)
				l.SetSource(q)
				synctest.Wait()
				if q.fills != tc.fills || q.full != tc.batchMost {
					t.Errorf("%d fills of at most %d frames, want %d and %d", q.fills, q.full, tc.fills, tc.batchMost)
				}
				q.add("one more")
				l.Wake()
				synctest.Wait()
				l.Close("")
				<-end
				if got := readAll(b); !slices.Equal(got, append(want, "one more")) {
					t.Errorf("read %d frames of %d, or in another order", len(got), tc.n+1)
				}
			})
		})
	}
}

// What is sent before an entry becomes visible to the source is written before that entry, even when the writer is at
// work already.
func TestControlSentFirstIsWrittenFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		q := &queue{}
		l := link.New(a, link.Options{Source: q})
		q.onFill = func() {
			q.onFill = nil
			_ = l.Send(ping("accepted"))
			q.add("event")
		}
		end := run(l, ignore)
		l.Wake()
		synctest.Wait()
		l.Close("")
		<-end
		if got, want := readAll(b), []string{"accepted", "event"}; !slices.Equal(got, want) {
			t.Errorf("read %q, want %q", got, want)
		}
	})
}

// counted counts flushes.
type counted struct {
	transport.Conn
	flushes int
}

func (c *counted) Flush() error {
	c.flushes++
	return c.Conn.Flush()
}

// A wake-up for nothing writes nothing, so it does not count as a sign of life either.
func TestWakeForNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		c := &counted{Conn: a}
		q := &queue{}
		l := link.New(c, link.Options{Source: q})
		q.onFill = func() {
			if q.fills < 3 {
				l.Wake()
			}
		}
		end := run(l, ignore)
		l.Wake()
		synctest.Wait()
		if q.fills != 4 || c.flushes != 0 {
			t.Errorf("%d fills and %d flushes, want 4 and none", q.fills, c.flushes)
		}
		_ = b.Close("")
		<-end
	})
}

// guards J3: a control frame waits for one batch at most.
func TestControlOvertakesBulk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.NewPipe(transport.PipeOptions{Bytes: 1})
		q := &queue{}
		q.add(slices.Repeat([]string{"bulk"}, 1000)...)
		l := link.New(a, link.Options{Source: q, WriteTimeout: time.Hour})
		end := run(l, ignore)
		l.Wake()
		synctest.Wait() // one batch is in the pipe and one at its mouth
		_ = l.Send(ping("control"))
		for i := 1; ; i++ {
			f, err := b.Read(nil)
			if err != nil {
				t.Fatal(err)
			}
			if nonce(f) == "control" {
				if i != 2*64+1 {
					t.Errorf("the control frame came as number %d, want 129", i)
				}
				break
			}
		}
		_ = b.Close("")
		<-end
	})
}

func TestSourceError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		q := &queue{fail: errors.New("store is gone")}
		q.add("x")
		l := link.New(a, link.Options{Source: q})
		end := run(l, ignore)
		_ = l.Send(ping("control"))
		l.Wake()
		if err := <-end; !errors.Is(err, q.fail) {
			t.Errorf("Run = %v, want the source's error", err)
		}
		if got := readAll(b); !slices.Equal(got, []string{"control"}) {
			t.Errorf("read %q, want the control frame only", got)
		}
	})
}

// A link ends whole wherever the connection breaks, and says why.
func TestCutAtEveryFrame(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 12; n++ {
		for name, plan := range map[string]faulty.Plan{
			"write": {CutWrite: n}, "after write": {CutAfterWrite: n}, "read": {CutRead: n},
		} {
			synctest.Test(t, func(t *testing.T) {
				a, b := transport.Pipe()
				q := &queue{}
				q.add(slices.Repeat([]string{"bulk"}, 6)...)
				l := link.New(faulty.New(a, plan), link.Options{Source: q})
				end := run(l, ignore)
				l.Wake()
				for i := range 6 {
					_ = l.Send(ping(fmt.Sprint(i)))
				}
				in := []byte(text(t, ping("in")))
				for range 12 {
					_, _ = b.Write(in), b.Flush() // the link may be gone by now
				}
				if err := <-end; !errors.Is(err, faulty.ErrCut) {
					t.Errorf("%s %d: Run = %v, want ErrCut", name, n, err)
				}
				_ = b.Close("")
			})
		}
	}
}
