package journal

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// slowStore says that it is durable and takes a while for every commit.
type slowStore struct {
	*store.Memory
	mu      sync.Mutex
	commits int
}

func (s *slowStore) Level() store.Durability { return store.ProcessKill }

func (s *slowStore) Commit(ctx context.Context, b *store.Batch) error {
	time.Sleep(time.Second)
	s.mu.Lock()
	s.commits++
	s.mu.Unlock()
	return s.Memory.Commit(ctx, b)
}

// TestSlowStoreIsSharedByWhatWaits: emitters go on while a slow store commits, and the next commit takes all they staged. What is
// committed is what was appended, in order.
func TestSlowStoreIsSharedByWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := &slowStore{Memory: store.NewMemory()}
		s := New(st, testLimits)
		v, err := s.OpenView("n", "sess_1", gateAll, nil)
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_1", Accepted: []byte("{}"), Owner: v})
		if err != nil {
			t.Fatal(err)
		}
		before, start := st.commits, time.Now()
		const events = 1000
		for i := range events {
			if i == events/2 {
				time.Sleep(time.Second / 2) // a commit is under way
			}
			if _, err := l.Append(t.Context(), thought("x")); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != time.Second/2 {
			t.Errorf("appending took %v beside the commits, want no time but our own", took)
		}
		if err := l.Flush(t.Context()); err != nil || l.Committed() != events {
			t.Errorf("Flush = %v, %d committed, want %d", err, l.Committed(), events)
		}
		if n := st.commits - before; n > 3 {
			t.Errorf("%d events took %d commits, want a few", events, n)
		}
		r, _, _ := v.Resume(0)
		_, ends, _, err := r.AppendFrames(nil, nil, 1<<20, 2*events)
		if err != nil || len(ends) != events {
			t.Errorf("AppendFrames = %d frames, %v, want %d", len(ends), err, events)
		}
	})
}

// TestSettleWaitsForWhoeverCommits: what was staged is published when Settle returns, also when the commit is another's.
func TestSettleWaitsForWhoeverCommits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(&slowStore{Memory: store.NewMemory()}, testLimits)
		l, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_1", Accepted: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		for n := range uint64(3) {
			if _, err := l.Append(t.Context(), thought("x")); err != nil {
				t.Fatal(err)
			}
			s.Settle()
			if got := l.Committed(); got != n+1 {
				t.Errorf("after Settle %d are committed, want %d", got, n+1)
			}
		}
	})
}
