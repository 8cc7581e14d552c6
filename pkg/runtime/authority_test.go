package runtime_test

import (
	"context"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// indexer works past the end of its lease, as in §13.4.
func indexer(ctx context.Context, t *runtime.Task) error {
	if err := t.Progress(ctx, 42000, 100000, "files", ""); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	return t.Authorize(ctx, arcp.NamespaceFSRead, "/data/42001")
}

// research calls tools and says what they cost, as in §13.5.
func research(ctx context.Context, t *runtime.Task) error {
	for _, call := range []struct {
		tool, metric string
		cost         arcp.Number
	}{
		{"search.web", "cost.search", "0.42"},
		{"fetch.url", "cost.fetch", "0.70"},
		{"fetch.url", "cost.fetch", "0.10"},
	} {
		if _, err := t.Call(ctx, call.tool, arcp.RawJSON(`"x"`)); err != nil {
			return set(t, "stopped by "+string(arcp.CodeOf(err)))
		}
		if err := t.Metric(ctx, call.metric, call.cost, "USD"); err != nil {
			return err
		}
	}
	return set(t, "done")
}

// reports reports what its input lists, "metric value unit" each, and returns the codes of what was refused and what is left.
func reports(ctx context.Context, t *runtime.Task) error {
	var codes []string
	for line := range strings.SplitSeq(strings.Trim(string(t.Input()), `"`), ",") {
		f := strings.Fields(line)
		code := "ok"
		if err := t.Metric(ctx, f[0], arcp.Number(f[1]), f[2]); err != nil {
			code = string(arcp.CodeOf(err))
		}
		codes = append(codes, code)
	}
	return set(t, map[string]any{"codes": codes, "left": t.Budget()})
}
