package repo

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository's, from here.
const root = "../.."

// block is one fenced block of a page. Its first line is ``` with a language and, when others need it, the name of a file.
type block struct {
	page, lang, name, text string
}

var fence = regexp.MustCompile("(?ms)^```(\\w*) ?(\\S*)\n(.*?)^```$")

// pages are what a newcomer reads. Design pages speak of code that may not stand yet.
func pages(t *testing.T) map[string]string {
	t.Helper()
	read := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "spec/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			read[filepath.ToSlash(name)] = string(text)
		}
	}
	if read["README.md"] == "" {
		t.Fatal("no README.md")
	}
	return read
}

func blocks(page, text string) []block {
	var found []block
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		found = append(found, block{page: page, lang: m[1], name: m[2], text: m[3]})
	}
	return found
}

// overlay lays the Go programs of the pages over the module, so that they are built with its own versions of everything; edit may
// change each first. That they stand below internal/repo/pages is seen by the go command only.
func overlay(t *testing.T, edit func(string) string) (flag string, packages []string) {
	t.Helper()
	dir, replace := t.TempDir(), map[string]string{}
	here, err := filepath.Abs("pages")
	if err != nil {
		t.Fatal(err)
	}
	for page, text := range pages(t) {
		for _, b := range blocks(page, text) {
			if b.lang != "go" {
				continue
			}
			if !strings.HasPrefix(b.text, "package ") || !strings.HasSuffix(b.name, "/main.go") {
				t.Errorf("%s: Go code in a page is a whole program, and its fence says ```go NAME/main.go", page)
				continue
			}
			if strings.Contains(b.text, module+"/internal/") || strings.Contains(b.text, "/internal/local") {
				t.Errorf("%s: %s imports what a reader cannot import", page, b.name)
			}
			pkg := strings.TrimSuffix(page, ".md") + "_" + filepath.Dir(b.name)
			file := filepath.Join(dir, strings.ReplaceAll(pkg, "/", "_")+".go")
			if err := os.WriteFile(file, []byte(edit(b.text)), 0o600); err != nil {
				t.Fatal(err)
			}
			replace[filepath.Join(here, filepath.FromSlash(pkg), "main.go")] = file
			packages = append(packages, "./pages/"+pkg)
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return "-overlay=" + path, packages
}

func goCommand(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// All Go code of README.md and the guides compiles and is formatted. guards L2
func TestGoInPages(t *testing.T) {
	t.Parallel()
	flag, packages := overlay(t, func(text string) string { return text })
	if len(packages) < 2 {
		t.Fatalf("the pages hold %d Go programs", len(packages))
	}
	goCommand(t, append([]string{"build", flag, "-o", t.TempDir()}, packages...)...)
	for page, text := range pages(t) {
		for _, b := range blocks(page, text) {
			if b.lang != "go" {
				continue
			}
			cmd := exec.CommandContext(t.Context(), "gofmt", "-l")
			cmd.Stdin = strings.NewReader(b.text)
			if out, err := cmd.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
				t.Errorf("%s: gofmt does not like %s: %s", page, b.name, out)
			}
		}
	}
}

// A program with a block ```output NAME behind it prints that.
func TestOutputOfPages(t *testing.T) {
	t.Parallel()
	ran := 0
	flag, packages := overlay(t, func(text string) string { return text })
	for page, text := range pages(t) {
		for _, b := range blocks(page, text) {
			pkg := "./pages/" + strings.TrimSuffix(page, ".md") + "_" + b.name
			if b.lang != "output" || b.name == "" { // without a name it is of a program that needs another one
				continue
			}
			if !slices.Contains(packages, pkg) {
				t.Errorf("%s has output of %s, which is no program", page, b.name)
				continue
			}
			ran++
			var stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), "go", "run", flag, pkg)
			cmd.Stderr = &stderr
			if out, err := cmd.Output(); err != nil || string(out) != b.text {
				t.Errorf("%s: %s printed\n%s%s%v, want\n%s", page, b.name, out, &stderr, err, b.text)
			}
		}
	}
	if ran == 0 {
		t.Error("no page shows what a program prints, so the pattern must be wrong")
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// Every link from a page to a file of the repository leads somewhere.
func TestLinks(t *testing.T) {
	t.Parallel()
	seen := 0
	for page, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			seen++
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(page), target)); err != nil {
				t.Errorf("%s links to %s, which does not exist", page, target)
			}
		}
	}
	if seen == 0 {
		t.Error("the pages link to nothing, so the pattern must be wrong")
	}
}

// README.md has a line for each example and for each row of the benchmark.
func TestReadmeTables(t *testing.T) {
	t.Parallel()
	readme := pages(t)["README.md"]
	mains, err := filepath.Glob(filepath.Join(root, "examples", "*", "main.go"))
	if err != nil || len(mains) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, main := range mains {
		name := filepath.Base(filepath.Dir(main))
		if !strings.Contains(readme, "| ["+name+"](examples/"+name+"/main.go) |") {
			t.Errorf("README.md has no line for the example %s", name)
		}
	}
	rows, err := exec.CommandContext(t.Context(), "go", "run", module+"/bench", "-list").Output()
	if err != nil {
		t.Fatalf("bench -list: %v", err)
	}
	for row := range strings.Lines(string(rows)) {
		if row = strings.TrimSpace(row); !strings.Contains(readme, "| `"+row+"` |") {
			t.Errorf("README.md has no line for the row %q of the benchmark", row)
		}
	}
}
