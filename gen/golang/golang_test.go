package golang_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/arcpkit/arcp/gen/golang"
	"github.com/arcpkit/arcp/gen/ir"
	"github.com/arcpkit/arcp/gen/spec"
)

var update = flag.Bool("update", false, "write what Emit gives into testdata")

const golden = "testdata/mini.txtar"

// What the smallest spec gives, letter for letter: the place to see what a change of the emitter does.
func TestEmitGolden(t *testing.T) {
	t.Parallel()
	archive := new(txtar.Archive)
	for _, f := range emitMini(t) {
		archive.Files = append(archive.Files, txtar.File{Name: f.Path, Data: f.Data})
	}
	got := txtar.Format(archive)
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("Emit differs from %s; go test ./gen/golang -update writes it, the diff shows how", golden)
	}
}

// Emit gives the same bytes each time: nothing of it hangs on the order of a map.
func TestEmitTwice(t *testing.T) {
	t.Parallel()
	first := emitMini(t)
	for range 3 {
		for i, f := range emitMini(t) {
			if f.Path != first[i].Path || string(f.Data) != string(first[i].Data) {
				t.Fatalf("%s differs from one Emit to the next", f.Path)
			}
		}
	}
}

// Every exported declaration of the generated Go is documented.
func TestEmitDocs(t *testing.T) {
	t.Parallel()
	p, err := spec.Load(os.DirFS("../.."), "spec")
	if err != nil {
		t.Fatal(err)
	}
	files, err := golang.Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, f := range files {
		file, err := parser.ParseFile(fset, f.Path, f.Data, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
	}
	checkDocs(t, fset, parsed)
}

// checkDocs demands a doc comment on every exported declaration.
func checkDocs(t *testing.T, fset *token.FileSet, files []*ast.File) {
	t.Helper()
	for _, file := range files {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Name.IsExported() && f.Doc == nil {
				t.Errorf("%s: %s has no doc comment", fset.Position(f.Pos()), f.Name.Name)
			}
			if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.TYPE && g.Doc == nil {
				t.Errorf("%s: a type has no doc comment", fset.Position(g.Pos()))
			}
		}
	}
}

func emitMini(t *testing.T) []ir.File {
	t.Helper()
	archive, err := txtar.ParseFile("../spec/testdata/base.txtar")
	if err != nil {
		t.Fatal(err)
	}
	tree := fstest.MapFS{}
	for _, f := range archive.Files {
		tree[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	p, err := spec.Load(tree, "spec")
	if err != nil {
		t.Fatal(err)
	}
	files, err := golang.Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	return files
}
