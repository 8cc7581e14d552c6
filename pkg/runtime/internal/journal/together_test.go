package journal

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// viewCounter counts the batches that have something of a session in them.
type viewCounter struct {
	*store.Memory
	batches atomic.Int64
}

func (c *viewCounter) Commit(ctx context.Context, b *store.Batch) error {
	for i := range b.Ops {
		if b.Ops[i].Key.Kind == store.KindSession {
			c.batches.Add(1)
			break
		}
	}
	return c.Memory.Commit(ctx, b)
}

// TestJobsBeginTogether: jobs that begin while the baton is held share one commit, whatever sessions they are of, and those whose
// session belongs to somebody else take nobody with them.
func TestJobsBeginTogether(t *testing.T) {
	t.Parallel()
	st := &viewCounter{Memory: store.NewMemory()}
	s := New(st, testLimits)
	const views, jobs, robbed = 4, 40, 2
	var all [views]*View
	for i := range all {
		var err error
		if all[i], err = s.OpenView("n", fmt.Sprint("sess_", i), gateAll, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := st.Join(t.Context(), "thief"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := st.Acquire(t.Context(), "thief", store.Key{Kind: store.KindSession, ID: fmt.Sprint("sess_", robbed)}, 1); err != nil {
		t.Fatal(err)
	}
	before := st.batches.Load()
	logs, errs := make([]*Log, jobs), make([]error, jobs)
	var wait sync.WaitGroup
	s.run.Lock()
	for i := range jobs {
		wait.Go(func() {
			logs[i], errs[i] = s.OpenLog(&NewLog{Node: "n", JobID: fmt.Sprint("job_", i), Accepted: []byte("{}"), Owner: all[i%views]})
		})
	}
	for s.waiting() < jobs {
		runtime.Gosched()
	}
	s.unlock()
	wait.Wait()
	if n := st.batches.Load() - before; n > 2 { // the refused part of the first is left out of the second
		t.Errorf("%d jobs began with %d commits of their sessions", jobs, n)
	}
	for i := range jobs {
		_, err := st.Lookup(t.Context(), store.Key{Kind: store.KindJob, ID: fmt.Sprint("job_", i)})
		if i%views == robbed {
			if !errors.Is(errs[i], ErrLost) || !errors.Is(err, store.ErrNotFound) {
				t.Errorf("job %d of a lost session: %v, and in the store %v", i, errs[i], err)
			}
			continue
		}
		if errs[i] != nil || err != nil || !s.Attached(all[i%views], logs[i]) {
			t.Errorf("job %d: %v, %v, or not attached", i, errs[i], err)
		}
	}
}

func (s *Sequencer) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.joints)
}
