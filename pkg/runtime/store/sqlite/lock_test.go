package sqlite

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// The lock of a process that was killed may stay a moment longer, with a child of it that has not yet become another program; make crash
// found it. One that stays belongs to somebody.
func TestLockIsWaitedFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		held, err := lockDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := lockDir(dir); !errors.Is(err, ErrLocked) {
			t.Errorf("lockDir of a folder in use = %v, want ErrLocked", err)
		}
		time.AfterFunc(lockPatience/2, func() { _ = held.Close() })
		got, err := lockDir(dir)
		if err != nil {
			t.Fatalf("lockDir of a folder that is let go of = %v", err)
		}
		_ = got.Close()
	})
}
