package runtime_test

import (
	"context"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// A job that has filled its log, so that no cost of it can be told any more, does not spend for nothing.
//
// guards G7
func TestFullLogStillDebits(t *testing.T) {
	t.Parallel()
	change := func(o *runtime.Options) { o.Limits.JobBytes = 10_000 }
	asked := arcp.Lease{arcp.NamespaceCostBudget: {"USD:1"}, arcp.NamespaceModelUse: {"*"}}
	underLease(t, change, &arcp.JobSubmit{LeaseRequest: asked}, func(ctx context.Context, task *runtime.Task) error {
		for task.Metric(ctx, "speed", "1", "m/s") == nil {
			continue
		}
		if err := task.Metric(ctx, "cost.call", "0.9", "USD"); arcp.CodeOf(err) != arcp.CodeBackpressure {
			t.Errorf("a cost on a full log = %v, want BACKPRESSURE", err)
		}
		if left := task.Budget()["USD"].String(); left != "0.1" {
			t.Errorf("%s are left, want 0.1", left)
		}
		_ = task.Metric(ctx, "cost.call", "0.9", "USD")
		if err := task.UseModel(ctx, "m"); arcp.CodeOf(err) != arcp.CodeBudgetExhausted {
			t.Errorf("an operation with the money spent = %v, want BUDGET_EXHAUSTED", err)
		}
		return nil
	})
}
