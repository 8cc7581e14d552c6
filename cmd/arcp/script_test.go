//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"arcp": main})
}

// TestScript runs the scripts of testdata/script over the real program. See scriptcmd_test.go for the commands it adds.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ARCP_CONFIG_DIR", filepath.Join(env.WorkDir, "config"))
			env.Setenv("PYTHONDONTWRITEBYTECODE", "1")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // each command is a process of its own
			env.Values[serverKey{}] = new(server)
			return writeDocs(env.WorkDir)
		},
		// A name of testscript's own would be taken for that, and ours never be run.
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"serve":   serveCommand,
			"end":     endCommand,
			"exits":   exitsCommand,
			"at":      atCommand,
			"mode":    modeCommand,
			"fifo":    fifoCommand,
			"eof":     eofCommand,
			"gencert": gencertCommand,
			"proxy":   proxyCommand,
			"mute":    muteCommand,
			"put":     putCommand,
			"signal":  signalCommand,
			"logs":    logsCommand,
			"dies":    diesCommand,
			"get":     getCommand,
			"flip":    flipCommand,
		},
	})
}

func TestSplitWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want []string // nil for refused
	}{
		{`python3 agent.py`, []string{"python3", "agent.py"}},
		{`  a	b  `, []string{"a", "b"}},
		{`sh -c 'echo "$HOME" \n'`, []string{"sh", "-c", `echo "$HOME" \n`}},
		{`a "b \"c\" \\ \d" e\ f`, []string{"a", `b "c" \ \d`, "e f"}},
		{`a ''`, []string{"a", ""}},
		{`a"b"'c'd`, []string{"abcd"}},
		{``, nil},
		{`''`, nil},
		{`a "b`, nil},
		{`a \`, nil},
	} {
		got, err := splitWords(c.in)
		if (err == nil) != (c.want != nil) || len(got) != len(c.want) {
			t.Errorf("splitWords(%q) = %q, %v, want %q", c.in, got, err, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("splitWords(%q) = %q, want %q", c.in, got, c.want)
			}
		}
	}
}

func TestEnsureToken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "token")
	a, made, err := ensureToken(path)
	if err != nil || !made || a.IsZero() {
		t.Fatalf("ensureToken = %v, %v, %v, want a new token", a, made, err)
	}
	b, made, err := ensureToken(path)
	if err != nil || made || !b.Equal(a) {
		t.Errorf("ensureToken again = made %v, %v, want the same token", made, err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v, want the token only", left, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ensureToken(path); err == nil {
		t.Error("ensureToken takes a token that others may read")
	}
	link := filepath.Join(t.TempDir(), "token")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ensureToken(link); err == nil {
		t.Error("ensureToken follows a symbolic link")
	}
}
