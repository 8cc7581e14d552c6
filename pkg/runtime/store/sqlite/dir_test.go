//go:build unix

package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
)

// TestFilesArePrivate whatever the umask is, those from before as well.
func TestFilesArePrivate(t *testing.T) { // not parallel: the umask is the process's
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "a", "data")
	s := mustOpen(t, dir)
	if err := s.Commit(t.Context(), &store.Batch{Ops: []store.Op{{Key: oneKey, Create: true}}}); err != nil {
		t.Fatal(err)
	}
	look := func() {
		t.Helper()
		for name, want := range map[string]os.FileMode{".": 0o700, "lock": 0o600, "arcp.db": 0o600, "arcp.db-wal": 0o600, "arcp.db-shm": 0o600} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil || info.Mode().Perm() != want {
				t.Errorf("%s has mode %v, %v, want %v", name, info.Mode().Perm(), err, want)
			}
		}
	}
	look()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(filepath.Join(dir, "arcp.db"), 0o644), os.Chmod(filepath.Join(dir, "lock"), 0o644)); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir)
	look()
}

func TestDirectoriesThatAreNotOurs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(dir string) error
		want string
	}{
		"others write": {func(dir string) error { return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o770)) }, "others can write"},
		"a file":       {func(dir string) error { return os.WriteFile(dir, nil, 0o600) }, "not a directory"},
		"a link to what is not": {func(dir string) error {
			return errors.Join(os.Mkdir(dir+"2", 0o700), os.Chmod(dir+"2", 0o777), os.Symlink(dir+"2", dir))
		}, "others can write"},
		"a store that is a link": {func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(dir+".db", nil, 0o600), os.Symlink(dir+".db", filepath.Join(dir, "arcp.db")))
		}, "not a regular file"},
		"a lock that is a link": {func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(dir+".l", []byte("x"), 0o600), os.Symlink(dir+".l", filepath.Join(dir, "lock")))
		}, "lock"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			if err := c.make(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := sqlite.Open(t.Context(), dir, nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want %q", err, c.want)
			}
		})
	}
	if _, err := sqlite.Open(t.Context(), "", nil); err == nil {
		t.Error("Open of no name = nil")
	}
}

// TestLinkedDirectory: a link to a directory of ours is followed, and both names are one store.
func TestLinkedDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Symlink(dir, dir+"-link")); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir+"-link")
	if _, err := sqlite.Open(t.Context(), dir, nil); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("Open by the other name = %v, want that it is in use", err)
	}
}
