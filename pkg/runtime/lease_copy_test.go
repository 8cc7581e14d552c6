package runtime_test

import (
	"context"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// An agent that changes the lease it was shown has no more than before, and gives no more to others.
//
// guards E7
func TestLeaseIsACopy(t *testing.T) {
	t.Parallel()
	var code arcp.ErrorCode
	var delegated error
	asked := arcp.Lease{arcp.NamespaceAgentDelegate: {"agent"}, arcp.NamespaceToolCall: {"t.*"}}
	underLease(t, nil, &arcp.JobSubmit{LeaseRequest: asked}, func(ctx context.Context, task *runtime.Task) error {
		wider := task.Lease()
		wider[arcp.NamespaceFSRead] = []string{"/**"}
		wider[arcp.NamespaceToolCall][0] = "*"
		for _, try := range [][2]string{{arcp.NamespaceFSRead, "/etc/passwd"}, {arcp.NamespaceToolCall, "u.x"}} {
			if code = arcp.CodeOf(task.Authorize(ctx, try[0], try[1])); code != arcp.CodePermissionDenied {
				t.Errorf("%s on %s = %q, want PERMISSION_DENIED", try[0], try[1], code)
			}
		}
		_, delegated = task.Delegate(ctx, &runtime.Delegation{Agent: "agent", Lease: wider})
		return nil
	})
	if arcp.CodeOf(delegated) != arcp.CodeLeaseSubsetViolation {
		t.Errorf("a child with the changed lease = %v, want LEASE_SUBSET_VIOLATION", delegated)
	}
}
