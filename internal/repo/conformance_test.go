package repo

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the third column of docs/conformance.md")

const conformance = root + "/docs/conformance.md"

var (
	promise = regexp.MustCompile(`(?m)^\| ([A-Z]\d+) \| ([^|]+) \|([^|]*)\|$`)
	guards  = regexp.MustCompile(`\bguards ((?:[A-Z]\d+(?:, | and )?)+)`)
	tag     = regexp.MustCompile(`[A-Z]\d+`)
)

// docs/conformance.md names the tests that say which promise they guard. guards L1
func TestConformance(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(conformance)
	if err != nil {
		t.Fatal(err)
	}
	tests := guardians(t)
	want := promise.ReplaceAllStringFunc(string(page), func(row string) string {
		m := promise.FindStringSubmatch(row)
		names := tests[m[1]]
		delete(tests, m[1])
		slices.Sort(names)
		if names = slices.Compact(names); len(names) == 0 {
			return "| " + m[1] + " | " + m[2] + " | |"
		}
		return "| " + m[1] + " | " + m[2] + " | " + strings.Join(names, ", ") + " |"
	})
	for id, names := range tests {
		t.Errorf("%s guards %s, which docs/conformance.md does not promise", strings.Join(names, ", "), id)
	}
	if *update {
		if err := os.WriteFile(conformance, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(page) {
		t.Error("docs/conformance.md is stale; run go test ./internal/repo -run Conformance -update")
	}
}

// guardians are the tests by the promises that the comments in and above them name.
func guardians(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	walk(t, func(path string) {
		if !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "storetest/") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range file.Comments {
			for _, m := range guards.FindAllStringSubmatch(group.Text(), -1) {
				for _, id := range tag.FindAllString(m[1], -1) {
					found[id] = append(found[id], filepath.Dir(path)+"."+funcAt(file, group))
				}
			}
		}
	})
	if len(found) == 0 {
		t.Fatal("no test guards anything, so the pattern must be wrong")
	}
	return found
}

// funcAt is the function that a comment stands in or above.
func funcAt(file *ast.File, comment *ast.CommentGroup) string {
	for _, decl := range file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && comment.Pos() < fn.End() {
			return fn.Name.Name
		}
	}
	return "?"
}

// walk calls f with the path, with slashes and from the root, of each file that is not of git or a scratch folder.
func walk(t *testing.T, f func(path string)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (path == ".git" || path == ".tmp"):
			return fs.SkipDir
		case d.Type().IsRegular():
			f(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
