package gen_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/gen"
)

const newMessage = `
  session.greet:
    from: client
    reply: session.closed
    section: "6"
    doc: A greeting.
    fields:
      name: {type: id, required: true, doc: Who is greeted.}
      times: {type: uint, min: 2, presence: explicit, doc: How often.}
      tone: {type: log_level, doc: How loudly.}
`

const newMessageTest = `package arcp

import "testing"

func TestGreet(t *testing.T) {
	frame := ` + "`" + `{"arcp":"1.1","type":"session.greet","session_id":"s","id":"1","payload":{"name":"you","times":3,"tone":"info"}}` + "`" + `
	e, err := Decode([]byte(frame))
	if err != nil {
		t.Fatal(err)
	}
	if g, ok := e.Payload.(*SessionGreet); !ok || g.Name != "you" || *g.Times != 3 || g.Tone != LevelInfo {
		t.Fatalf("decoded %+v", e.Payload)
	}
	if out, err := e.AppendJSON(nil); err != nil || string(out) != frame {
		t.Fatalf("encoded %s, %v", out, err)
	}
	if err := e.Validate(); err != nil {
		t.Fatal(err)
	}
	one := uint64(1)
	if err := (&SessionGreet{Name: "you", Times: &one}).Validate(); err == nil {
		t.Fatal("times 1 was accepted")
	}
	if rule, ok := RuleOf(TypeSessionGreet); !ok || rule.From != FromClient || rule.Reply != TypeSessionClosed {
		t.Fatalf("rule %+v", rule)
	}
}
`

// A message type added to the YAML decodes, encodes and validates, and stands in schema and reference, with no line
// written by hand.
func TestNewMessage(t *testing.T) {
	t.Parallel()
	dir := copyModule(t)
	session := filepath.Join(dir, "spec", "session.yaml")
	text, err := os.ReadFile(session)
	if err != nil {
		t.Fatal(err)
	}
	write(t, session, string(text)+newMessage)
	write(t, filepath.Join(dir, "pkg", "arcp", "greet_test.go"), newMessageTest)
	if _, err := gen.Write(dir); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=all", "-run", "TestGreet", "./pkg/arcp")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "docs", "schema", "messages", "session.greet.json")); err != nil {
		t.Error(err)
	}
	if reference, err := os.ReadFile(filepath.Join(dir, "docs", "messages.md")); err != nil || !strings.Contains(string(reference), "session.greet") {
		t.Errorf("docs/messages.md does not show it; %v", err)
	}
}

// copyModule copies what pkg/arcp is built and generated from.
func copyModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		copyFile(t, filepath.Join(root, name), filepath.Join(dir, name))
	}
	for _, pattern := range []string{"spec/*.yaml", "templates/*", "internal/jsonx/*.go", "internal/glob/*.go", "pkg/arcp/*.go"} {
		names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			relative, err := filepath.Rel(root, name)
			if err != nil {
				t.Fatal(err)
			}
			copyFile(t, name, filepath.Join(dir, relative))
		}
	}
	return dir
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(data))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
