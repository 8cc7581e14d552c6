package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
)

// TestMigration: a file of the first version is brought to the next with all that is in it, in one step or not at all, and is not opened
// by a program that knows the first only.
func TestMigration(t *testing.T) {
	t.Parallel()
	all := states(t)
	want := all[len(all)-1]
	files := lived(t, false)
	dir := place(t, files)
	path := filepath.Join(dir, "arcp.db")
	if err := sqlite.Migrate(path, "ALTER TABLE secrets ADD COLUMN made INTEGER; INSERT INTO nowhere VALUES(1)"); err == nil {
		t.Error("a migration that fails = nil")
	}
	s, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatalf("Open after a migration that failed = %v", err)
	}
	if got, err := dump(t.Context(), s); err != nil || got != want {
		t.Errorf("after a migration that failed: %v\n%s", err, got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Migrate(path, "ALTER TABLE secrets ADD COLUMN made INTEGER"); err != nil {
		t.Fatalf("the migration = %v", err)
	}
	if err := sqlite.Migrate(path, "ALTER TABLE secrets ADD COLUMN made INTEGER"); err != nil {
		t.Errorf("the migration when it is done = %v", err)
	}
	if _, err := sqlite.Open(t.Context(), dir, nil); !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("Open of a newer file = %v", err)
	}
	if _, err := sqlite.Check(t.Context(), dir); !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("Check of a newer file = %v", err)
	}
}

// TestForeignFiles are refused and left as they are.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	files := lived(t, false)
	foreign := append([]byte(nil), files["arcp.db"]...)
	copy(foreign[68:], "XXXX") // the application's id
	for name, b := range map[string][]byte{"text": []byte("not a database, but long enough to look like one"), "another program's": foreign} {
		dir := place(t, map[string][]byte{"arcp.db": b})
		if _, err := sqlite.Open(t.Context(), dir, nil); !errors.Is(err, sqlite.ErrCorrupt) {
			t.Errorf("%s: Open = %v", name, err)
		}
	}
}
