package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestPlainText(t *testing.T) {
	t.Parallel()
	const refused = "dial tcp 127.0.0.1:1: connect: connection refused"
	for _, c := range []struct{ in, want string }{
		{"client: link lost: transport: command \"x\" ended", "link lost: command \"x\" ended"},
		{"client: link lost: not back after 2s: client: connect: ws: connect to 127.0.0.1:1: failed to WebSocket dial: " +
			"failed to send handshake request: Get \"http://127.0.0.1:1/arcp\": " + refused, "link lost: not back after 2s: " + refused},
		{"the job ended as error: X: a client: is named", "the job ended as error: X: a client: is named"},
	} {
		if got := plainText(c.in); got != c.want {
			t.Errorf("plainText(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// The help names the value of each flag that has one, and of no other.
func TestFlagUsage(t *testing.T) {
	t.Parallel()
	for _, cmd := range newRoot(streams{strings.NewReader(""), io.Discard, io.Discard}).Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { checkUsage(t, cmd, f) })
	}
}

func checkUsage(t *testing.T, cmd *cobra.Command, f *pflag.Flag) {
	t.Helper()
	want := 2
	if _, limit := f.Value.(*limitFlag); limit || f.Value.Type() == "bool" {
		want = 0 // a limit's is named after its type
	}
	if got := strings.Count(f.Usage, "`"); got != want {
		t.Errorf("arcp %s --%s: the usage %q has %d backquotes, want %d", cmd.Name(), f.Name, f.Usage, got, want)
	}
	if name, _ := pflag.UnquoteUsage(f); strings.ToUpper(name) != name {
		t.Errorf("arcp %s --%s: its value is named %q", cmd.Name(), f.Name, name)
	}
}
