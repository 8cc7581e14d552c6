package storetest

import (
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// patience is how long the suite waits for what must come; it is never waited out by an engine that works.
const patience = 30 * time.Second

var watchTests = []contract{
	{"a head already past is signalled at once", func(_ *testing.T, s *bench) {
		s.fill(3)
		s.wantMoved(s.watch(jobKey, 2))
	}},
	{"a commit is signalled", func(_ *testing.T, s *bench) {
		s.fill(3)
		w := s.watch(jobKey, 3)
		s.wantStill(w)
		s.add(jobKey, "a")
		s.wantMoved(w)
		s.add(jobKey, "b")
		s.wantMoved(w)
	}},
	{"only commits after the position", func(_ *testing.T, s *bench) {
		s.fill(1)
		w := s.watch(jobKey, 2)
		s.add(jobKey, "at 2")
		s.wantStill(w)
		s.add(jobKey, "at 3")
		s.wantMoved(w)
	}},
	{"signals are coalesced", func(_ *testing.T, s *bench) {
		s.fill(1)
		w := s.watch(jobKey, 1)
		for range 100 {
			s.add(jobKey, "a")
		}
		s.wantMoved(w)
		s.wantStill(w)
	}},
	{"each watcher is told", func(_ *testing.T, s *bench) {
		s.create("n", jobKey, sessionKey)
		a, b, other := s.watch(jobKey, 0), s.watch(jobKey, 0), s.watch(sessionKey, 0)
		a2 := s.watch(jobKey, 0)
		a.Close()
		a.Close()
		s.add(jobKey, "r")
		s.wantMoved(b)
		s.wantMoved(a2)
		s.wantStill(a)
		s.wantStill(other)
	}},
	{"no key", func(t *testing.T, s *bench) {
		_, err := s.Watch(t.Context(), jobKey, 0)
		s.wantErr("Watch", err, store.ErrNotFound)
	}},
	{"a deleted key is signalled", func(_ *testing.T, s *bench) {
		s.create("n", jobKey)
		w := s.watch(jobKey, 10)
		s.do(store.Op{Key: jobKey, Epoch: 1, Delete: true})
		s.wantMoved(w)
		w.Close()
	}},
	{"a closed store is signalled", func(t *testing.T, s *bench) {
		s.create("n", jobKey)
		w := s.watch(jobKey, 10)
		if err := s.Store.Close(); err != nil {
			t.Fatal(err)
		}
		s.wantMoved(w)
		w.Close()
	}},
}

func (s *bench) watch(key store.Key, from uint64) store.Watcher {
	s.Helper()
	w, err := s.Watch(s.Context(), key, from)
	if err != nil {
		s.Fatalf("Watch(%v, %d) = %v", key, from, err)
	}
	s.Cleanup(w.Close)
	return w
}

func (s *bench) wantMoved(w store.Watcher) {
	s.Helper()
	select {
	case <-w.Moved():
	case <-time.After(patience):
		s.Fatal("Moved() gave no signal")
	}
}

// wantStill relies on signals being sent before the call that causes them returns, or at Watch.
func (s *bench) wantStill(w store.Watcher) {
	s.Helper()
	select {
	case <-w.Moved():
		s.Error("Moved() gave a signal")
	default:
	}
}
