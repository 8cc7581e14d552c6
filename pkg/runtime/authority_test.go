package runtime_test

import (
	"context"
	"strings"
	"sync"
	"testing"
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

// underLease runs an agent under what a submit asks for and returns all that its session hears, the end of the job last.
func underLease(t *testing.T, change func(*runtime.Options), submit *arcp.JobSubmit, f runtime.AgentFunc, more ...func(*runtime.Runtime) error) (heard []*arcp.Envelope) {
	t.Helper()
	b := newBench(t, change)
	defer b.stop(t)
	if err := b.Handle("agent", f); err != nil {
		t.Fatal(err)
	}
	for _, register := range more {
		if err := register(b.Runtime); err != nil {
			t.Fatal(err)
		}
	}
	var served sync.WaitGroup
	defer served.Wait()
	c, welcome := greet(t, b, &served, nil, arcp.FeatureCostBudget, arcp.FeatureModelUse, arcp.FeatureLeaseExpiresAt)
	defer func() { _ = c.Close("") }()
	submit.Agent = "agent"
	say(t, c, &arcp.Envelope{ID: "m", SessionID: welcome.SessionID, Payload: submit})
	for {
		e := hear(t, c)
		heard = append(heard, e)
		switch e.Payload.(type) {
		case *arcp.JobResult, *arcp.JobError, *arcp.SessionError:
			return heard
		}
	}
}

// denials are the calls that were refused, in order: what was tried, and why not.
func denials(heard []*arcp.Envelope) (all []string) {
	called := map[string]string{}
	for _, e := range heard {
		ev, ok := e.Payload.(*arcp.JobEvent)
		if !ok {
			continue
		}
		switch b := ev.Body.(type) {
		case *arcp.ToolCallBody:
			called[b.CallID] = b.Tool + string(b.Args)
		case *arcp.ToolResultBody:
			if b.Error != nil {
				all = append(all, called[b.CallID]+" "+string(b.Error.Code))
			}
		}
	}
	return all
}
