package spec_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/arcpkit/arcp/gen/spec"
)

var update = flag.Bool("update", false, "write the listings that Load gives into testdata")

const listing = "want"

// Each archive of testdata/broken replaces files of the smallest spec, and holds the listing of what is wrong then.
func TestBrokenSpecs(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/broken/*.txtar")
	if err != nil || len(cases) < 10 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			tree := baseSpec(t)
			want := ""
			for _, f := range archive.Files {
				if f.Name == listing {
					want = string(f.Data)
					continue
				}
				tree[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			_, err = spec.Load(tree, "spec")
			var found spec.Error
			if !errors.As(err, &found) {
				t.Fatalf("Load() = %v, want a spec.Error", err)
			}
			got := found.Error() + "\n"
			if *update {
				writeListing(t, path, archive, got)
			} else if got != want {
				t.Errorf("listing differs (go test ./gen/spec -update writes it):\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestBaseSpecLoads(t *testing.T) {
	t.Parallel()
	if _, err := spec.Load(baseSpec(t), "spec"); err != nil {
		t.Fatal(err)
	}
}

func TestNoSpecFiles(t *testing.T) {
	t.Parallel()
	_, err := spec.Load(fstest.MapFS{}, "spec")
	if err == nil || !strings.Contains(err.Error(), "no spec files") {
		t.Errorf("Load() = %v, want a word about missing files", err)
	}
}

func baseSpec(t *testing.T) fstest.MapFS {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/base.txtar")
	if err != nil {
		t.Fatal(err)
	}
	tree := fstest.MapFS{}
	for _, f := range archive.Files {
		tree[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return tree
}

func writeListing(t *testing.T, path string, archive *txtar.Archive, got string) {
	t.Helper()
	var files []txtar.File
	for _, f := range archive.Files {
		if f.Name != listing {
			files = append(files, f)
		}
	}
	archive.Files = append(files, txtar.File{Name: listing, Data: []byte(got)})
	if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}
