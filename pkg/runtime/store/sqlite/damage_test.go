package sqlite_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
)

// every makes the tests of damage try each bit, which takes many minutes, and not some of them.
var every = flag.Bool("every", false, "flip every bit of a small store, not some hundred")

// lived returns the files of a store that has lived a history: closed, or as a killed process leaves them.
func lived(t *testing.T, killed bool) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), dir, sqlite.Small(sqlite.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	steps := history()
	for i, step := range steps {
		if killed && i == len(steps)/2 {
			if err := s.Close(); err != nil { // the first half lies in the main file, the rest in the log
				t.Fatal(err)
			}
			if s, err = sqlite.Open(t.Context(), dir, sqlite.Small(sqlite.Options{})); err != nil {
				t.Fatal(err)
			}
		}
		if err := step(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if !killed {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string][]byte{}
	for _, name := range []string{"arcp.db", "arcp.db-wal"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			files[name] = b
		}
	}
	if killed {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// read opens files as a store and returns all that can be read of it, or the error that says why not.
func read(t *testing.T, dir string, files map[string][]byte) (string, error) {
	t.Helper()
	for _, name := range []string{"arcp.db", "arcp.db-wal", "arcp.db-shm"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		return "", err
	}
	got, err := dump(t.Context(), s)
	return got, errors.Join(err, s.Close())
}

// TestFlippedBits: whatever bit of the closed file is wrong, the store is refused as damaged or reads as it was.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	all := states(t)
	want := all[len(all)-1]
	flip(t, lived(t, false), "arcp.db", func(at int, got string, err error) {
		switch {
		case errors.Is(err, sqlite.ErrCorrupt), errors.Is(err, sqlite.ErrNewer):
		case err != nil:
			t.Errorf("bit %d: %v, want that the store is damaged", at, err)
		case got != want:
			t.Errorf("bit %d: the store reads\n%s\nwant\n%s", at, got, want)
		}
	})
}

// TestFlippedBitsOfTheLog: whatever bit of the write-ahead log is wrong, the store is refused or reads as it was at some moment.
func TestFlippedBitsOfTheLog(t *testing.T) {
	t.Parallel()
	all := states(t)
	flip(t, lived(t, true), "arcp.db-wal", func(at int, got string, err error) {
		switch {
		case errors.Is(err, sqlite.ErrCorrupt):
		case err != nil:
			t.Errorf("bit %d: %v, want that the store is damaged", at, err)
		case !slices.Contains(all[len(all)/2:], got):
			t.Errorf("bit %d: the store reads\n%s\nwhich it never did", at, got)
		}
	})
}

func flip(t *testing.T, files map[string][]byte, name string, judge func(at int, got string, err error)) {
	t.Helper()
	b := files[name]
	if len(b) < 4096 {
		t.Fatalf("%s has %d bytes", name, len(b))
	}
	dir := t.TempDir()
	step := 8*len(b)/500 | 1 // odd: it comes by all bits of a byte
	if *every {
		step = 1
	}
	for at := 0; at < 8*len(b) && !t.Failed(); at += step {
		b[at/8] ^= 1 << (at % 8)
		got, err := read(t, dir, files)
		judge(at, got, err)
		b[at/8] ^= 1 << (at % 8)
	}
}

// TestTornLog: however much of the write-ahead log's end is missing, the store reads as it was at some moment, the later the more is there.
func TestTornLog(t *testing.T) {
	t.Parallel()
	all := states(t)
	files := lived(t, true)
	whole := files["arcp.db-wal"]
	dir := t.TempDir()
	last := 0
	for n := 0; n <= len(whole); n += min(97, max(len(whole)-n, 1)) {
		files["arcp.db-wal"] = whole[:n]
		got, err := read(t, dir, files)
		at := slices.Index(all, got)
		if err != nil || at < len(all)/2 || at < last {
			t.Fatalf("%d bytes of %d: state %d after %d, %v\n%s", n, len(whole), at, last, err, got)
		}
		last = at
	}
	if last != slices.Index(all, all[len(all)-1]) {
		t.Errorf("the whole log gives state %d of %d", last, len(all)-1)
	}
}

// TestLogWithoutItsFile: a file that is empty or gone is no new store where its log lies beside it.
func TestLogWithoutItsFile(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{"empty": {}, "gone": nil} {
		files, dir := lived(t, true), t.TempDir()
		if delete(files, "arcp.db"); file != nil {
			files["arcp.db"] = file
		}
		if got, err := read(t, dir, files); !errors.Is(err, sqlite.ErrCorrupt) {
			t.Errorf("%s: opened as %.100q, %v", name, got, err)
		}
		if _, err := sqlite.Check(t.Context(), dir); err == nil {
			t.Errorf("%s: the check found nothing", name)
		}
		if log, err := os.ReadFile(filepath.Join(dir, "arcp.db-wal")); err != nil || !bytes.Equal(log, files["arcp.db-wal"]) {
			t.Errorf("%s: the log has changed: %v", name, err)
		}
	}
}
