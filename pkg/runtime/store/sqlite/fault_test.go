//go:build linux

package sqlite_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"

	lib "modernc.org/sqlite/lib"
)

// TestDiskFaults lets every single write, sync and truncation of a small store's life fail, in several ways. What was acknowledged is
// there when the store is opened again, at most the step that failed is there besides it, and after a failure nothing is acknowledged
// any more.
func TestDiskFaults(t *testing.T) {
	t.Parallel()
	all := states(t)
	// Each is tried at every seventh operation, each at others, and a full disk at all of them.
	first, step := 0, 7
	for name, way := range map[string]how{
		"an I/O error":         {code: lib.SQLITE_IOERR_WRITE, once: true},
		"a dead disk":          {code: lib.SQLITE_IOERR_WRITE},
		"a full disk":          {code: lib.SQLITE_FULL},
		"a full disk for once": {code: lib.SQLITE_FULL, once: true},
		"a short write":        {code: lib.SQLITE_IOERR_WRITE, once: true, part: true},
		"death in a write":     {code: lib.SQLITE_IOERR_WRITE, part: true},
	} {
		for _, level := range []store.Durability{store.ProcessKill, store.PowerLoss} {
			t.Run(fmt.Sprintf("%s at level %d", name, level), func(t *testing.T) {
				t.Parallel()
				for n := first; ; n += step {
					f := fault{how: way, at: n}
					if !failAt(t, &f, n, level, all) {
						if n < 100 {
							t.Errorf("the life took %d operations only", n)
						}
						return
					}
				}
			})
		}
	}
}

// failAt lives a history that fails at the n-th operation and says whether there was one.
func failAt(t *testing.T, f *fault, n int, level store.Durability, all []string) bool {
	t.Helper()
	dir := t.TempDir()
	breakable(t, dir, f)
	done, failed := 0, error(nil)
	s, err := sqlite.Open(t.Context(), dir, sqlite.WithVFS(sqlite.Small(sqlite.Options{Sync: level}), vfsName))
	if err == nil {
		done, failed = live(t, s, all)
		_ = s.Close() // may fail, for the checkpoint does
	}
	hit := f.hit()
	if err != nil && !hit {
		t.Fatal(err)
	}
	s, err = sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatalf("fault %d: Open = %v", n, err)
	}
	got, err := dump(t.Context(), s)
	if err != nil || got != all[done] && (failed == nil || got != all[done+1]) {
		t.Errorf("fault %d: %d steps were acknowledged, then %v; the store reads %v\n%s\nwant\n%s", n, done, failed, err, got, all[done])
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return hit
}

// live does the steps until one fails and says how many were acknowledged. The failed store reads as before and takes nothing more.
func live(t *testing.T, s *sqlite.Store, all []string) (done int, failed error) {
	t.Helper()
	for _, step := range history() {
		if failed = step(t.Context(), s); failed != nil {
			break
		}
		done++
	}
	if failed == nil {
		return done, nil
	}
	if err := s.Commit(t.Context(), &store.Batch{}); err == nil {
		t.Errorf("after %v a commit was acknowledged", failed)
	}
	for _, ours := range []error{store.ErrFenced, store.ErrConflict, store.ErrExists, store.ErrNotFound} {
		if errors.Is(failed, ours) {
			t.Errorf("step %d: %v", done, failed)
		}
	}
	if now, err := dump(t.Context(), s); err != nil || now != all[done] {
		t.Errorf("after %v the store reads %v\n%s\nwant\n%s", failed, err, now, all[done])
	}
	return done, failed
}
