package runtime_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// TestTricksAtTheGate: of all ways to be let into what was not granted, the gate lets in what means what was granted.
func TestTricksAtTheGate(t *testing.T) {
	t.Parallel()
	corpus, err := os.ReadFile("../../testdata/lease/tricks.txt")
	if err != nil {
		t.Fatal(err)
	}
	lease := arcp.Lease{"fs.read": {"/w/**"}, "net.fetch": {"https://*.example.com/w/**"}}
	tried := 0
	heard := underLease(t, nil, &arcp.JobSubmit{LeaseRequest: lease}, func(ctx context.Context, task *runtime.Task) error {
		for line := range strings.Lines(string(corpus)) {
			kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			capability := map[string]string{"path": "fs.read", "url": "net.fetch"}[kind]
			if capability == "" {
				continue
			}
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				t.Errorf("%q: %v", line, err)
				continue
			}
			target, _ := strconv.Unquote(quoted)
			want := arcp.CodePermissionDenied
			if strings.TrimSpace(rest[len(quoted):]) == "inside" {
				want = ""
			}
			tried++
			if got := arcp.CodeOf(task.Authorize(ctx, capability, target)); got != want {
				t.Errorf("%s on %q = %q, want %q", capability, target, got, want)
			}
		}
		return nil
	})
	if _, ok := heard[len(heard)-1].Payload.(*arcp.JobResult); !ok || tried < 120 {
		t.Errorf("%d tricks tried, and the end is %+v", tried, heard[len(heard)-1].Payload)
	}
}
