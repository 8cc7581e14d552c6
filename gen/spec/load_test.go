package spec_test

import (
	"os"
	"testing"

	"github.com/arcpkit/arcp/gen/spec"
)

// The protocol's own description loads, with everything the draft has.
func TestLoadProtocol(t *testing.T) {
	t.Parallel()
	p, err := spec.Load(os.DirFS("../.."), "spec")
	if err != nil {
		t.Fatal(err)
	}
	for _, count := range []struct {
		name      string
		got, want int
	}{
		{"messages", len(p.Messages), 22},
		{"kinds", len(p.Kinds), 11},
		{"codes", len(p.Codes), 18},
		{"features", len(p.Features), 11},
	} {
		if count.got != count.want {
			t.Errorf("%d %s, want %d", count.got, count.name, count.want)
		}
	}
	if got := p.Messages[0].Go; got != "SessionHello" {
		t.Errorf("first message is %s, want SessionHello", got)
	}
}
