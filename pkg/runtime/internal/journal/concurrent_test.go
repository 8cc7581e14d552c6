package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

func newTestView(t *testing.T, limits Limits) (*Reader, *View, *Log) {
	t.Helper()
	s := New(store.NewMemory(), limits)
	v, err := s.OpenView("n", "sess_1", gateAll, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_1", Accepted: []byte("{}"), Owner: v})
	if err != nil {
		t.Fatal(err)
	}
	r, _, _ := v.Resume(0)
	return r, v, l
}

func thought(text string) *arcp.JobEvent {
	return &arcp.JobEvent{Kind: arcp.KindThought, Body: &arcp.ThoughtBody{Text: text}}
}

// TestParallelEmitters: eight goroutines emit, one reads; the wire order is 1..n. guards A3.
func TestParallelEmitters(t *testing.T) {
	t.Parallel()
	r, _, l := newTestView(t, testLimits)
	const emitters, each = 8, 500
	var wg sync.WaitGroup
	for range emitters {
		wg.Go(func() {
			for i := range each {
				if _, err := l.Append(context.Background(), thought(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	next := uint64(1)
	for next <= emitters*each && !t.Failed() {
		buf, ends, _, err := r.AppendFrames(nil, nil, 64<<10, 64)
		if err != nil {
			t.Fatal(err)
		}
		start := 0
		for _, end := range ends {
			e, err := arcp.Decode(buf[start:end])
			if err != nil || e.EventSeq != next || e.ID != arcp.EventID("job_1", next) {
				t.Fatalf("frame %s: %v, want seq %d", buf[start:end], err, next)
			}
			start = end
			next++
		}
	}
	wg.Wait()
}

// TestClosedLogTakesNothing guards C1, C2.
func TestClosedLogTakesNothing(t *testing.T) {
	t.Parallel()
	_, v, l := newTestView(t, testLimits)
	end := &Terminal{Type: TypeError, Tail: func(dst []byte, _ uint64) ([]byte, error) { return append(dst, '}'), nil }}
	if _, err := l.Close(end); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Close(end); !errors.Is(err, ErrOver) {
		t.Errorf("second Close = %v, want ErrOver", err)
	}
	if _, err := l.Append(t.Context(), thought("late")); !errors.Is(err, ErrOver) {
		t.Errorf("Append after Close = %v, want ErrOver", err)
	}
	if _, _, tail := v.Bounds(); tail != 1 {
		t.Errorf("the view has %d numbers, want 1", tail)
	}
}

func TestTooLargeLeavesNoTrace(t *testing.T) {
	t.Parallel()
	limits := testLimits
	limits.FrameBytes = 4 << 10
	_, v, l := newTestView(t, limits)
	if _, err := l.Append(t.Context(), thought(string(make([]byte, 8<<10)))); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("Append = %v, want ErrTooLarge", err)
	}
	if index, err := l.Append(t.Context(), thought("fits")); err != nil || index != 1 {
		t.Fatalf("Append = %d, %v, want 1, nil", index, err)
	}
	if _, _, tail := v.Bounds(); tail != 1 {
		t.Errorf("the view has %d numbers, want 1", tail)
	}
}

// TestSlowReaderIsCut: a view that nobody reads is overrun at its cap, the log goes on and stays within its own.
func TestSlowReaderIsCut(t *testing.T) {
	t.Parallel()
	limits := testLimits
	limits.UnwrittenBytes, limits.LogBytes = 64<<10, 256<<10
	r, _, l := newTestView(t, limits)
	text := string(make([]byte, 100))
	for range 20_000 {
		if _, err := l.Append(t.Context(), thought(text)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, _, err := r.AppendFrames(nil, nil, 1<<20, 64); !errors.Is(err, ErrOverrun) {
		t.Errorf("AppendFrames = %v, want ErrOverrun", err)
	}
	kept := 0
	for _, s := range l.slabs {
		kept += cap(s.data)
	}
	if kept > limits.LogBytes+2*slabMax {
		t.Errorf("the log keeps %d bytes, its cap is %d", kept, limits.LogBytes)
	}
}

var errDisk = errors.New("disk full")

// failing is a store that fails from some commit on.
type failing struct {
	store.Store
	after int
}

func (f *failing) Commit(ctx context.Context, batch *store.Batch) error {
	if f.after--; f.after < 0 {
		return errDisk
	}
	return f.Store.Commit(ctx, batch)
}

// TestBrokenStoreStopsEverything: what the store refused is seen by nobody, and nothing is taken after it.
func TestBrokenStoreStopsEverything(t *testing.T) {
	t.Parallel()
	b := &failing{Store: store.NewMemory(), after: 2}
	s := New(b, testLimits)
	v, _ := s.OpenView("n", "sess_1", gateAll, nil)
	l, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_1", Accepted: []byte("{}"), Owner: v})
	if err != nil {
		t.Fatal(err)
	}
	r, _, _ := v.Resume(0)
	_, _ = l.Append(t.Context(), thought("lost"))
	if err := l.Flush(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("Flush = %v, want the store's error", err)
	}
	if buf, _, _, err := r.AppendFrames(nil, nil, 1<<20, 64); len(buf) > 0 || !errors.Is(err, errDisk) {
		t.Errorf("AppendFrames = %q, %v, want nothing and the store's error", buf, err)
	}
	if _, err := l.Append(t.Context(), thought("late")); !errors.Is(err, errDisk) {
		t.Errorf("Append = %v, want the store's error", err)
	}
}
