package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

var ownerTests = []contract{
	{"an ID is alive once", func(t *testing.T, s *bench) {
		n := s.join("a")
		_, err := s.Join(t.Context(), "a")
		s.wantErr("second Join", err, store.ErrExists)
		if n.ID() != "a" {
			t.Errorf("ID() = %q", n.ID())
		}
		s.leave(n)
		s.join("a")
	}},
	{"leaving closes Lost, once", func(_ *testing.T, s *bench) {
		n := s.join("a")
		s.wantLost(n, false)
		s.leave(n)
		s.wantLost(n, true)
		again := s.join("a")
		s.leave(n)
		s.wantLost(again, false)
	}},
	{"acquire takes a key over and fences the owner", func(t *testing.T, s *bench) {
		s.join("a")
		s.join("b")
		s.create("a", jobKey)
		s.add(jobKey, "r")
		e, h, err := s.Acquire(t.Context(), "b", jobKey, 1)
		if err != nil || e != 2 || h.Epoch != 2 || h.Owner != "b" || h.Records != 1 || h.First != 1 {
			t.Fatalf("Acquire = %d, %+v, %v", e, h, err)
		}
		s.wantErr("the old owner's Commit", s.one(store.Op{Key: jobKey, Epoch: 1, Head: 1, Snapshot: []byte("x")}), store.ErrFenced)
		s.wantErr("the old owner's Trim", s.Trim(t.Context(), jobKey, 1, 2), store.ErrFenced)
		s.wantErr("the old owner's Release", s.Release(t.Context(), jobKey, 1), store.ErrFenced)
		s.do(store.Op{Key: jobKey, Epoch: 2, Head: 1, Append: segment(2, "s")})
		s.wantRecords(jobKey, "r", "s")
	}},
	{"acquire compares the epoch", func(t *testing.T, s *bench) {
		s.join("a")
		s.create("a", jobKey)
		for _, old := range []store.Epoch{0, 2} {
			_, _, err := s.Acquire(t.Context(), "a", jobKey, old)
			s.wantErr("Acquire at a wrong epoch", err, store.ErrConflict)
		}
		_, _, err := s.Acquire(t.Context(), "a", sessionKey, 0)
		s.wantErr("Acquire of no key", err, store.ErrNotFound)
		s.wantHead(jobKey, store.Head{Epoch: 1, Owner: "a", First: 1})
	}},
	{"of many who acquire one does", func(t *testing.T, s *bench) {
		s.create("n", jobKey)
		const nodes = 8
		errs := make([]error, nodes)
		var wait sync.WaitGroup
		for i := range nodes {
			id := store.NodeID(fmt.Sprint("n", i))
			s.join(id)
			wait.Go(func() { _, _, errs[i] = s.Acquire(t.Context(), id, jobKey, 1) })
		}
		wait.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				s.wantErr("Acquire", err, store.ErrConflict)
			}
		}
		if won != 1 || s.head(jobKey).Epoch != 2 {
			t.Errorf("%d of %d acquired, the epoch is %d", won, nodes, s.head(jobKey).Epoch)
		}
	}},
	{"the dead acquire nothing", func(t *testing.T, s *bench) {
		s.create("n", jobKey)
		s.leave(s.join("a"))
		for _, old := range []store.Epoch{0, 1} {
			_, _, err := s.Acquire(t.Context(), "a", jobKey, old)
			s.wantErr("Acquire by a node that left", err, store.ErrFenced)
		}
	}},
	{"a released key has no owner and its epoch is spent", func(t *testing.T, s *bench) {
		s.join("a")
		s.create("a", jobKey)
		if err := s.Release(t.Context(), jobKey, 1); err != nil {
			t.Fatalf("Release = %v", err)
		}
		s.wantHead(jobKey, store.Head{Epoch: 1, First: 1})
		s.wantErr("Commit after Release", s.one(store.Op{Key: jobKey, Epoch: 1, Snapshot: []byte("x")}), store.ErrFenced)
		s.wantErr("second Release", s.Release(t.Context(), jobKey, 1), store.ErrFenced)
		s.wantErr("Release of no key", s.Release(t.Context(), sessionKey, 1), store.ErrNotFound)
		if e := s.acquire("a", jobKey); e != 2 {
			t.Errorf("epoch after Release and Acquire = %d, want 2", e)
		}
		s.add(jobKey, "r")
	}},
	{"orphans are what the departed own", func(t *testing.T, s *bench) {
		a, b := s.join("a"), s.join("b")
		released := store.Key{Kind: store.KindJob, ID: "job_released"}
		taken := store.Key{Kind: store.KindJob, ID: "job_taken"}
		kept := store.Key{Kind: store.KindJob, ID: "job_b"}
		s.create("a", jobKey, sessionKey, idemKey, mintKey, released, taken)
		s.create("b", kept)
		s.wantOrphans()
		if err := s.Release(t.Context(), released, 1); err != nil {
			t.Fatal(err)
		}
		s.leave(a)
		s.wantOrphans(jobKey, sessionKey, taken, mintKey)
		s.acquire("b", taken)
		s.wantOrphans(jobKey, sessionKey, mintKey)
		s.leave(b)
		s.wantOrphans(jobKey, sessionKey, kept, taken, mintKey)
	}},
	{"a new node of the same ID does not own what the old one did", func(_ *testing.T, s *bench) {
		s.leave(s.joinAndCreate("a"))
		s.join("a")
		s.wantOrphans(jobKey)
		s.acquire("a", jobKey)
		s.wantOrphans()
	}},
	{"a key of a node that never joined is an orphan", func(_ *testing.T, s *bench) {
		s.create("stranger", jobKey)
		s.wantOrphans(jobKey)
	}},
	{"a lost node is told and its keys are orphans", func(t *testing.T, s *bench) {
		loser, ok := s.Store.(interface{ Lose(store.NodeID) bool })
		if !ok {
			t.Skip("the engine has no Lose")
		}
		n := s.joinAndCreate("a")
		if !loser.Lose("a") || loser.Lose("a") {
			t.Error("Lose(a) twice, want true and then false")
		}
		s.wantLost(n, true)
		s.wantOrphans(jobKey)
		s.leave(n)
		// Losing the lease fences nothing by itself: only a new owner does.
		s.add(jobKey, "late")
		s.join("b")
		s.acquire("b", jobKey)
		s.wantErr("Commit", s.one(store.Op{Key: jobKey, Epoch: 1, Head: 1, Snapshot: []byte("x")}), store.ErrFenced)
	}},
}

func (s *bench) joinAndCreate(id store.NodeID) store.Node {
	s.Helper()
	n := s.join(id)
	s.create(id, jobKey)
	return n
}

func (s *bench) leave(n store.Node) {
	s.Helper()
	if err := n.Leave(context.WithoutCancel(s.Context())); err != nil {
		s.Fatalf("Leave() = %v", err)
	}
}

func (s *bench) wantLost(n store.Node, want bool) {
	s.Helper()
	got := false
	select {
	case <-n.Lost():
		got = true
	default:
	}
	if got != want {
		s.Errorf("Lost() closed is %v, want %v", got, want)
	}
}

func (s *bench) wantOrphans(want ...store.Key) {
	s.Helper()
	got, err := s.Orphans(s.Context())
	if err != nil {
		s.Fatalf("Orphans() = %v", err)
	}
	left := map[store.Key]bool{}
	for _, k := range want {
		left[k] = true
	}
	for _, k := range got {
		if !left[k] {
			s.Errorf("Orphans() = %v, want %v", got, want)
			return
		}
		delete(left, k)
	}
	if len(left) > 0 {
		s.Errorf("Orphans() = %v, want %v", got, want)
	}
}
