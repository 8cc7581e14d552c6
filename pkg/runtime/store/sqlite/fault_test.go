//go:build linux

package sqlite_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"

	lib "modernc.org/sqlite/lib"
)

// TestDiskFaults lets the writes, syncs and truncations of a small store's life fail, each in some way. What was acknowledged is
// there when the store is opened again, at most the step that failed is there besides it, and after a failure nothing is acknowledged
// any more. guards A14.
func TestDiskFaults(t *testing.T) {
	t.Parallel()
	all := states(t)
	ways := []struct {
		name string
		how
	}{
		{"an I/O error", how{code: lib.SQLITE_IOERR_WRITE, once: true}},
		{"a dead disk", how{code: lib.SQLITE_IOERR_WRITE}},
		{"a full disk", how{code: lib.SQLITE_FULL}},
		{"a full disk for once", how{code: lib.SQLITE_FULL, once: true}},
		{"a short write", how{code: lib.SQLITE_IOERR_WRITE, once: true, part: true}},
		{"death in a write", how{code: lib.SQLITE_IOERR_WRITE, part: true}},
	}
	for i, way := range ways {
		for j, level := range []store.Durability{store.ProcessKill, store.PowerLoss} {
			t.Run(fmt.Sprintf("%s at level %d", way.name, level), func(t *testing.T) {
				t.Parallel()
				n := 1 + 2*i + j // together they try every operation
				for failAt(t, &fault{how: way.how, at: n}, level, all) {
					n += 2 * len(ways)
				}
				if n < 100 {
					t.Errorf("the life took %d operations only", n)
				}
			})
		}
	}
}

// failAt lives a history in which something fails and says whether it came to that.
func failAt(t *testing.T, f *fault, level store.Durability, all []string) bool {
	t.Helper()
	n, dir := f.at, t.TempDir()
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

// TestPowerLoss ends a small store's life at any of its writes and leaves of what was not synced some sectors and others not. What a
// store of level PowerLoss acknowledged is there; the other level may have lost the last steps, but no more than that.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	all := states(t)
	for _, level := range []store.Durability{store.ProcessKill, store.PowerLoss} {
		t.Run(fmt.Sprint("level ", level), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(5, uint64(level)))
			lost := 0
			for n := 12; ; n += 2 + rng.IntN(5) { // the first make the file
				f := &fault{how: how{code: lib.SQLITE_IOERR_WRITE, part: rng.IntN(2) == 0}, at: n}
				done, at, hit := losePower(t, rng, f, level, all)
				if !hit {
					break
				}
				if at < done {
					lost++
				}
			}
			if (lost > 0) != (level == store.ProcessKill) {
				t.Errorf("steps were lost %d times at level %d", lost, level)
			}
		})
	}
}

// losePower lives a history up to a power loss and returns how many steps were acknowledged, and the state that is found afterwards.
func losePower(t *testing.T, rng *rand.Rand, f *fault, level store.Durability, all []string) (done, at int, hit bool) {
	t.Helper()
	n, dir := f.at, t.TempDir()
	breakable(t, dir, f)
	s, err := sqlite.Open(t.Context(), dir, sqlite.WithVFS(sqlite.Small(sqlite.Options{Sync: level}), vfsName))
	if err == nil {
		done, _ = live(t, s, all)
		_ = s.Close()
	}
	if !f.hit() {
		return done, done, false
	}
	files := map[string][]byte{}
	for _, name := range []string{"arcp.db", "arcp.db-wal"} {
		written, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		files[name] = survivors(rng, f.disk[name], written)
	}
	got, err := read(t, t.TempDir(), files)
	if err != nil {
		t.Fatalf("power lost at operation %d: %v", n, err)
	}
	for at = min(done+1, len(all)-1); at >= 0; at-- { // two states may be the same; the later counts
		if all[at] == got {
			return done, at, true
		}
	}
	t.Fatalf("power lost at operation %d after %d steps: the store reads\n%s", n, done, got)
	return 0, 0, true
}

// survivors is a file of which some sectors are as they were synced and others as they were written.
func survivors(rng *rand.Rand, synced, written []byte) []byte {
	const sector = 512
	b := slices.Clone(written)
	if len(synced) > len(b) || rng.IntN(4) == 0 {
		b = append(b[:min(len(b), len(synced))], synced[min(len(b), len(synced)):]...)
	}
	for i := 0; i < len(b); i += sector {
		end := min(i+sector, len(b))
		if rng.IntN(2) == 0 && end <= len(synced) {
			copy(b[i:end], synced[i:end])
		} else if rng.IntN(2) == 0 && i >= len(synced) {
			clear(b[i:end])
		}
	}
	return b
}
