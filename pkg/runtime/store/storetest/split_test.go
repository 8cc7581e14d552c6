package storetest_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/storetest"
)

func TestSplitCrashesAtEveryBoundary(t *testing.T) {
	t.Parallel()
	keys := []string{"a", "b", "c"}
	done := map[int]bool{}
	for seed := range uint64(200) {
		inner := store.NewMemory()
		s := storetest.Split(inner, rand.New(rand.NewPCG(seed, 0)))
		n, err := s.Join(t.Context(), "n")
		if err != nil {
			t.Fatal(err)
		}
		var b store.Batch
		for _, id := range keys {
			b.Ops = append(b.Ops, store.Op{Key: store.Key{Kind: store.KindJob, ID: id}, Create: true, Node: "n"})
		}
		if err := s.Commit(t.Context(), &b); err == nil {
			continue
		} else if !errors.Is(err, storetest.ErrCrashed) || !s.Crashed() {
			t.Fatalf("Commit = %v, want a crash", err)
		}
		prefix := 0
		for _, op := range b.Ops {
			if _, err := inner.Lookup(t.Context(), op.Key); err == nil {
				prefix++
			}
		}
		done[prefix] = true
		if _, err := s.Lookup(t.Context(), b.Ops[0].Key); !errors.Is(err, storetest.ErrCrashed) {
			t.Errorf("Lookup after the crash = %v, want ErrCrashed", err)
		}
		if err := s.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-n.Lost()
		if orphans, err := s.Orphans(t.Context()); err != nil || len(orphans) != prefix {
			t.Errorf("Orphans after Restart = %v, %v, want %d", orphans, err, prefix)
		}
	}
	for prefix := range len(keys) + 1 {
		if !done[prefix] {
			t.Errorf("no crash left %d of %d operations done", prefix, len(keys))
		}
	}
}
