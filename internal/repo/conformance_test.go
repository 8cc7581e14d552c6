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

var (
	update = flag.Bool("update", false, "write the third column of docs/conformance.md")
	strict = flag.Bool("strict", false, "fail, too, when a test is missing from docs/conformance.md")
)

const conformance = root + "/docs/conformance.md"

// What the third column says of a promise that no test guards. Which of the two is true is decided by hand; a test takes the place of
// either.
const (
	untested = "*no test*"
	unbuilt  = "*not built*"
)

var (
	promise = regexp.MustCompile(`(?m)^\| ([A-Z]\d+) \| ([^|]+) \|([^|]*)\|$`)
	guards  = regexp.MustCompile(`\b[Gg]uards ((?:[A-Z]\d+(?:, | and )?)+)`)
	tag     = regexp.MustCompile(`[A-Z]\d+`)
)

// docs/conformance.md names tests that are there and say which promise they guard. That it names all of them is asked for only with
// -strict, as .ci/run does: a page that says less than is true does not mislead. guards L1
func TestConformance(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(conformance)
	if err != nil {
		t.Fatal(err)
	}
	tests, promised := guardians(t), map[string]bool{}
	want := promise.ReplaceAllStringFunc(string(page), func(row string) string {
		m := promise.FindStringSubmatch(row)
		promised[m[1]] = true
		for name := range strings.SplitSeq(strings.TrimSpace(m[3]), ", ") {
			if name != untested && name != unbuilt && !slices.Contains(tests[m[1]], name) && !*update {
				t.Errorf("docs/conformance.md names %s for %s, but there is no such test or it does not say so", name, m[1])
			}
		}
		column := strings.Join(tests[m[1]], ", ")
		if column == "" {
			column = untested
			if strings.TrimSpace(m[3]) == unbuilt {
				column = unbuilt
			}
		}
		return "| " + m[1] + " | " + m[2] + " | " + column + " |"
	})
	for id, names := range tests {
		if !promised[id] {
			t.Errorf("%s guards %s, which docs/conformance.md does not promise", strings.Join(names, ", "), id)
		}
	}
	switch {
	case *update:
		if err := os.WriteFile(conformance, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	case *strict && want != string(page):
		t.Error("docs/conformance.md is stale; run go test ./internal/repo -run Conformance -update")
	}
}

// guardians are the tests by the promises that the comments in and above them name, and the conversations and scripts by those that their
// own comments do.
func guardians(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	walk(t, func(path string) {
		if name, ok := strings.CutSuffix(path, ".txtar"); ok {
			comment, _, _ := strings.Cut(string(read(t, path)), "\n-- ")
			for _, m := range guards.FindAllStringSubmatch(comment, -1) {
				for _, id := range tag.FindAllString(m[1], -1) {
					found[id] = append(found[id], name)
				}
			}
			return
		}
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
	for id := range found {
		slices.Sort(found[id])
		found[id] = slices.Compact(found[id])
	}
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
		case path == ".git" && !d.IsDir(): // of a worktree
			return nil
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
