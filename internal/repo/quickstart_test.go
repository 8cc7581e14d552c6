package repo

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The first two quick starts of README.md, as they are but for the port: the agent serves, the client's output is the right one.
func TestQuickStartInGo(t *testing.T) {
	t.Parallel()
	const address = "127.0.0.1:7979"
	agent := exec.CommandContext(t.Context(), build(t, "agent", func(text string) string {
		return strings.ReplaceAll(text, address, "127.0.0.1:0")
	}))
	stderr, err := agent.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = agent.Process.Kill()
		_ = agent.Wait()
	})
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil {
		t.Fatalf("the agent said %q and %v", line, err)
	}
	_, serving, ok := strings.Cut(strings.TrimSpace(line), "serving at ")
	if !ok {
		t.Fatalf("the agent said %q", line)
	}
	client := exec.CommandContext(t.Context(), build(t, "client", func(text string) string {
		return strings.ReplaceAll(text, address, serving)
	}))
	out, err := client.CombinedOutput()
	want := ""
	for _, b := range blocks("README.md", pages(t)["README.md"]) {
		if b.lang == "output" && b.name == "" {
			want = b.text
		}
	}
	if err != nil || string(out) != want {
		t.Errorf("the client printed %q and ended with %v, want %q", out, err, want)
	}
}

// The folder that README.md has its readers make is one in which its programs build.
func TestQuickStartFolder(t *testing.T) {
	t.Parallel()
	const folder = "../hello"
	page, dir := pages(t)["README.md"], filepath.Join(t.TempDir(), "hello")
	var script string
	for _, b := range blocks("README.md", page) {
		if b.lang == "sh" && strings.Contains(b.text, folder) {
			script = strings.ReplaceAll(b.text, folder, `"$folder"`)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", script)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "folder="+dir)
	if out, err := cmd.CombinedOutput(); err != nil || script == "" {
		t.Fatalf("%s\n%v\n%s", script, err, out)
	}
	for _, b := range blocks("README.md", page) {
		if b.lang != "go" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, b.name), []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd = exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "bin")+"/", "./agent", "./client", module+"/cmd/arcp")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go build: %v\n%s", err, out)
	}
}

// build builds one program of README.md.
func build(t *testing.T, name string, edit func(string) string) (path string) {
	t.Helper()
	flag, _ := overlay(t, edit)
	path = filepath.Join(t.TempDir(), name)
	goCommand(t, "build", flag, "-o", path, "./pages/README_"+name)
	return path
}

var (
	serveLine  = regexp.MustCompile(`(?m)^arcp serve (--agent '[^']+')`)
	submitLine = regexp.MustCompile(`(?m)^arcp submit (\w+) '([^']+)'`)
)

// The third: the program of README.md, served and called with the command lines of README.md, over a pipe in place of a port.
func TestQuickStartWithAnyProgram(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3 on this system")
	}
	page := pages(t)["README.md"]
	serve, submit := serveLine.FindStringSubmatch(page), submitLine.FindStringSubmatch(page)
	if serve == nil || submit == nil {
		t.Fatal("README.md does not say how to serve a program and submit a job to it")
	}
	dir := t.TempDir()
	for _, b := range blocks("README.md", page) {
		if b.lang != "python" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, b.name), []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	goCommand(t, "build", "-o", filepath.Join(dir, "arcp"), module+"/cmd/arcp")
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(dir, "arcp"),
		"submit", "--stdio", `"`+filepath.Join(dir, "arcp")+`" serve --stdio `+serve[1], submit[1], submit[2])
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ARCP_CONFIG_DIR="+dir)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("arcp submit: %v\n%s", err, &stderr)
	}
	if got := strings.TrimSpace(stdout.String()); got != `"Hello, Ada and Alan"` {
		t.Errorf("the result is %s", got)
	}
	for _, want := range []string{"2/2 Alan", "greeting Alan"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("nothing was said of %q in\n%s", want, &stderr)
		}
	}
}
