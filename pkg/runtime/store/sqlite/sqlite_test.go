package sqlite_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
	"github.com/arcpkit/arcp/pkg/runtime/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return mustOpen(t, t.TempDir()) })
}

func TestStoreSplit(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store {
		s := storetest.Split(mustOpen(t, t.TempDir()), rand.New(rand.NewPCG(1, 1)))
		s.SetOdds(0)
		return s
	})
}

// TestStoreReopened: what was committed outlives the process. guards A19.
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

// open opens a store that is closed at the end of the test.
func open(t *testing.T, dir string) (*sqlite.Store, error) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir, nil)
	if err == nil {
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Errorf("Close = %v", err)
			}
		})
	}
	return s, err
}

func mustOpen(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := open(t, dir)
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	return s
}

// TestOneProcess: a second one is refused and told who has the store.
func TestOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, err := sqlite.Open(t.Context(), dir, nil)
	if !errors.Is(err, sqlite.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("a second Open = %v, want who has it", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir)
}

// TestSpaceIsUsedAgain: a file does not grow with what is trimmed and deleted, only with what is kept.
func TestSpaceIsUsedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir)
	job := func(i int) store.Key { return store.Key{Kind: store.KindJob, ID: fmt.Sprint("j", i)} }
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "arcp.db"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	var early int64
	const rounds = 400
	for i := range rounds {
		err := s.Commit(t.Context(), &store.Batch{Ops: []store.Op{{Key: job(i), Create: true, Append: records(1, 50, 200), Snapshot: make([]byte, 5000)}}})
		for head := uint64(50); head < 500 && err == nil; head += 50 {
			err = s.Commit(t.Context(), &store.Batch{Ops: []store.Op{{Key: job(i), Epoch: 1, Head: head, Append: records(head+1, 50, 200)}}})
			err = errors.Join(err, s.Trim(t.Context(), job(i), 1, head))
		}
		if i >= 3 && err == nil {
			err = s.Commit(t.Context(), &store.Batch{Ops: []store.Op{{Key: job(i - 3), Epoch: 1, Head: 500, Delete: true}}})
		}
		if err != nil {
			t.Fatal(err)
		}
		if i == rounds/4 {
			early = size()
		}
	}
	if late := size(); early == 0 || late > 2*early {
		t.Errorf("the file has %d bytes after a quarter of the rounds and %d at the end", early, late)
	}
}

// TestCommitsShareTransactions: what waits together is committed together, and each caller gets its own answer.
func TestCommitsShareTransactions(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir())
	const callers, each = 32, 20
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			key := store.Key{Kind: store.KindJob, ID: fmt.Sprint("j", i)}
			if err := s.Commit(t.Context(), &store.Batch{Ops: []store.Op{{Key: key, Create: true}}}); err != nil {
				t.Error(err)
			}
			for head := range uint64(each) {
				op := store.Op{Key: key, Epoch: 1, Head: head, Append: records(head+1, 1, 8)}
				if err := s.Commit(t.Context(), &store.Batch{Ops: []store.Op{op}}); err != nil {
					t.Errorf("Commit = %v", err)
				}
				if err := s.Commit(t.Context(), &store.Batch{Ops: []store.Op{op}}); !errors.Is(err, store.ErrConflict) {
					t.Errorf("the same again = %v, want a conflict", err)
				}
			}
		})
	}
	wait.Wait()
	if n, callers := s.Transactions(), callers*(1+2*each); n > callers/2 {
		t.Errorf("%d calls took %d transactions", callers, n)
	}
}

// TestOthersAreWaitedFor: a program that looks into the file, and locks it for that, costs time and not the store.
func TestOthersAreWaitedFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir)
	release, err := sqlite.Block(filepath.Join(dir, "arcp.db"))
	if err != nil {
		t.Fatal(err)
	}
	started, answer := make(chan struct{}), make(chan error, 1)
	go func() {
		close(started)
		answer <- s.Commit(t.Context(), &store.Batch{Ops: []store.Op{{Key: oneKey, Create: true}}})
	}()
	<-started
	for range 1000 {
		runtime.Gosched()
	}
	for !s.Taken() {
		runtime.Gosched()
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; err != nil {
		t.Errorf("Commit = %v", err)
	}
}

// TestReservationsGo: expired ones are forgotten as new ones are made, after opening again as well.
func TestReservationsGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	reserve := func(s *sqlite.Store, id string, in time.Duration) {
		t.Helper()
		key := store.Key{Kind: store.KindIdem, ID: id}
		op := store.Op{Key: key, Create: true, Expires: time.Now().Add(in), Append: records(1, 1, 8)}
		if err := s.Commit(t.Context(), &store.Batch{Ops: []store.Op{op}}); err != nil {
			t.Fatal(err)
		}
	}
	s := mustOpen(t, dir)
	for i := range 20 {
		reserve(s, fmt.Sprint("old", i), -time.Second)
	}
	if n := s.Reservations(); n > 2 {
		t.Errorf("%d reservations are kept, all of them expired", n)
	}
	reserve(s, "last", -time.Second)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir)
	reserve(s, "new", time.Hour)
	reserve(s, "newer", time.Hour)
	if n := s.Reservations(); n != 2 {
		t.Errorf("%d reservations are kept after opening again, want the 2 that last", n)
	}
}
