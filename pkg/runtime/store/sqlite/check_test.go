package sqlite_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
)

// place writes the files of a store into a new directory.
func place(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, killed := range map[string]bool{"closed": false, "killed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := lived(t, killed)
			dir := place(t, files)
			r, err := sqlite.Check(t.Context(), dir)
			if err != nil || !r.Sound() {
				t.Fatalf("Check = %+v, %v, want a sound store", r, err)
			}
			if r.Jobs != 2 || r.Sessions != 1 || r.Reservations != 1 || r.Records != 13+2+9+1 || r.Schema != 1 || r.Bytes == 0 {
				t.Errorf("Check = %+v", r)
			}
			for name, want := range files {
				if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, want) {
					t.Errorf("Check changed %s: %v", name, err)
				}
			}
		})
	}
}

// TestCheckFindsEveryProblem: a report goes on behind the first.
func TestCheckFindsEveryProblem(t *testing.T) {
	t.Parallel()
	files := lived(t, false)
	for _, text := range []string{"000000000009", "one's end"} {
		i := bytes.Index(files["arcp.db"], []byte(text))
		if i < 0 {
			t.Fatalf("%q is not in the file", text)
		}
		files["arcp.db"][i] ^= 1
	}
	dir := place(t, files)
	r, err := sqlite.Check(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(r.Problems, "\n")
	if !strings.Contains(all, "the segment at record") || !strings.Contains(all, "the snapshot of job one") {
		t.Errorf("problems:\n%s\nwant the segment and the snapshot", all)
	}
	if _, err := sqlite.Open(t.Context(), dir, nil); !errors.Is(err, sqlite.ErrCorrupt) || !strings.Contains(err.Error(), "the segment at record") {
		t.Errorf("Open = %v, want damage that is named", err)
	}
}

// TestCheckOfDamage: whatever is wrong, a check and an export end, and say so.
func TestCheckOfDamage(t *testing.T) {
	t.Parallel()
	files := lived(t, false)
	b := files["arcp.db"]
	for at := 0; at < len(b); at += len(b) / 60 {
		b[at] ^= 0xff
		dir := place(t, files)
		b[at] ^= 0xff
		s, opened := sqlite.Open(t.Context(), dir, nil)
		if opened == nil {
			opened = s.Close()
		}
		r, err := sqlite.Check(t.Context(), dir)
		if err != nil && !errors.Is(err, sqlite.ErrNewer) || err == nil && opened != nil && r.Sound() {
			t.Errorf("byte %d: Check = %+v, %v; Open = %v", at, r, err, opened)
		}
		var out bytes.Buffer
		if err := sqlite.Export(t.Context(), dir, &out, nil); err != nil && !errors.Is(err, sqlite.ErrCorrupt) && !errors.Is(err, sqlite.ErrNewer) {
			t.Errorf("byte %d: Export = %v", at, err)
		}
	}
}

func TestCheckIsForClosedStores(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := sqlite.Check(t.Context(), dir); !errors.Is(err, sqlite.ErrNoStore) {
		t.Errorf("Check of nothing = %v", err)
	}
	if err := sqlite.Export(t.Context(), dir, nil, nil); !errors.Is(err, sqlite.ErrNoStore) {
		t.Errorf("Export of nothing = %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v was made", left)
	}
	s := mustOpen(t, dir)
	if _, err := sqlite.Check(t.Context(), dir); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("Check of an open store = %v", err)
	}
	if err := s.Commit(t.Context(), &store.Batch{}); err != nil {
		t.Error(err)
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	dir := place(t, lived(t, true))
	var out bytes.Buffer
	show := func(key store.Key, snapshot bool, b []byte) []byte {
		if key.Kind == store.KindSession {
			return nil
		}
		text, _ := json.Marshal(string(b))
		return text
	}
	if err := sqlite.Export(t.Context(), dir, &out, show); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4+13+2+9+1 {
		t.Errorf("%d lines:\n%s", len(lines), out.String())
	}
	for _, want := range []string{
		`{"kind":"job","id":"one","head":{"epoch":1,"owner":"n","first":8,"records":20,"snapshot_at":20},` +
			`"row":{"principal":"p","agent":"a@1","status":"success","created":"1970-01-01T00:16:40.000000005Z"},"snapshot":"one's end"}`,
		`{"kind":"job","id":"one","at":20,"record":"000000000000000000000000000020"}`,
		`{"kind":"session","id":"sess","head":{"epoch":1,"released":true,"first":1,"records":9,"snapshot_at":9},"bytes":6}`,
		`{"kind":"session","id":"sess","at":1,"bytes":10}`,
	} {
		if !strings.Contains(out.String(), want+"\n") {
			t.Errorf("no line %s in\n%s", want, out.String())
		}
	}
	s := mustOpen(t, dir)
	secret, err := s.Secret(t.Context(), "cursors")
	if err != nil || bytes.Contains(out.Bytes(), secret) {
		t.Errorf("the export holds a secret: %v", err)
	}
}

// TestExportOfDamage: what is damaged is said, what is not is there.
func TestExportOfDamage(t *testing.T) {
	t.Parallel()
	files := lived(t, false)
	i := bytes.Index(files["arcp.db"], []byte("0000000000000012"))
	files["arcp.db"][i] ^= 1
	dir := place(t, files)
	var out bytes.Buffer
	if err := sqlite.Export(t.Context(), dir, &out, nil); !errors.Is(err, sqlite.ErrCorrupt) {
		t.Errorf("Export = %v, want that something is damaged", err)
	}
	for _, want := range []string{`"id":"one","at":11,`, `"id":"one","damaged":`, `"id":"two","at":2,`, `"id":"sess","at":9,`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}
