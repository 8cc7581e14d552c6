package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/gen"
)

// repository makes a tree with a spec, as the repository has it, and nothing generated.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"spec", "templates"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join("..", "..", name))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRun(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	call := func(args ...string) (int, string, string) {
		var stdout, stderr strings.Builder
		code := run(append([]string{"-root", dir}, args...), &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
	if code, out, errs := call("-check"); code != 1 || !strings.Contains(out, "missing: pkg/arcp/job_gen.go") || !strings.Contains(errs, gen.Advice) {
		t.Errorf("-check with nothing generated = %d, %q, %q", code, out, errs)
	}
	if code, out, errs := call(); code != 0 || !strings.Contains(out, "pkg/arcp/job_gen.go\n") || errs != "" {
		t.Errorf("writing = %d, %q, %q", code, out, errs)
	}
	if code, out, errs := call("-check"); code != 0 || out != "" || errs != "" {
		t.Errorf("-check after writing = %d, %q, %q", code, out, errs)
	}
	if code, out, errs := call(); code != 0 || out != "" || errs != "" {
		t.Errorf("writing twice = %d, %q, %q, want nothing touched", code, out, errs)
	}
	broken := filepath.Join(dir, "spec", "job.yaml")
	if err := os.WriteFile(broken, []byte("messages:\n  job.x: {doc: x}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-check"}, {}} {
		if code, _, errs := call(args...); code != 1 || !strings.Contains(errs, "spec/job.yaml:2:3: job.x has no section") {
			t.Errorf("%q with a broken spec = %d, %q", args, code, errs)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-nonsense"}, {"an argument"}} {
		var stdout, stderr strings.Builder
		if code := run(args, &stdout, &stderr); code != 2 || stderr.Len() == 0 {
			t.Errorf("run(%q) = %d, %q, want 2 and a word", args, code, stderr.String())
		}
	}
}
