package sqlite_test

import (
	"math/rand/v2"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
	"github.com/arcpkit/arcp/pkg/runtime/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, t.TempDir()) })
}

func TestStoreSplit(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store {
		s := storetest.Split(open(t, t.TempDir()), rand.New(rand.NewPCG(1, 1)))
		s.SetOdds(0)
		return s
	})
}

func open(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return s
}

func TestStoreReopened(t *testing.T) {
	t.Parallel()
	for name, level := range map[string]store.Durability{"killed": store.ProcessKill, "power": store.PowerLoss} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Reopen(t, func(t *testing.T, dir string) store.Store {
				s, err := sqlite.Open(t.Context(), dir, &sqlite.Options{Sync: level})
				if err != nil {
					t.Fatalf("Open = %v", err)
				}
				if s.Level() != level {
					t.Errorf("Level() = %v, want %v", s.Level(), level)
				}
				return s
			})
		})
	}
}
