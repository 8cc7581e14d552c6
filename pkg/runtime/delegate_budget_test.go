package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
)

// costs is an agent that has costs of what its input says, a list of amounts in USD.
func costs(ctx context.Context, t *runtime.Task) error {
	for amount := range strings.SplitSeq(strings.Trim(string(t.Input()), `"`), " ") {
		if err := t.Metric(ctx, "cost.work", arcp.Number(amount), "USD"); err != nil {
			return err
		}
	}
	return nil
}

// budgeted submits a job that may delegate.
func budgeted(t *testing.T, c transport.Conn, session string, lease arcp.Lease, lc *arcp.LeaseConstraints) {
	t.Helper()
	submit := mayDelegate("boss", lease)
	submit.LeaseConstraints = lc
	say(t, c, &arcp.Envelope{ID: "m", SessionID: session, Payload: submit})
}

// onBoss runs an agent under a budget of USD:5, in a bubble, and returns what its session hears.
func onBoss(t *testing.T, lc *arcp.LeaseConstraints, f runtime.AgentFunc) (heard []*arcp.Envelope) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.stop(t)
		if err := errors.Join(b.Handle("boss", f), b.Handle("costs", runtime.AgentFunc(costs))); err != nil {
			t.Fatal(err)
		}
		var served sync.WaitGroup
		defer served.Wait()
		c, welcome := greet(t, b, &served, nil, arcp.FeatureCostBudget, arcp.FeatureModelUse, arcp.FeatureLeaseExpiresAt)
		defer func() { _ = c.Close("") }()
		if lc != nil && lc.ExpiresAt.IsZero() {
			lc.ExpiresAt = time.Now().Add(time.Hour).UTC()
		}
		budgeted(t, c, welcome.SessionID, arcp.Lease{"cost.budget": {"USD:5"}, "model.use": {"small-*"}}, lc)
		for {
			e := hear(t, c)
			heard = append(heard, e)
			switch p := e.Payload.(type) {
			case *arcp.JobResult:
				return
			case *arcp.JobError:
				if p.Code == arcp.CodeLeaseExpired {
					return
				}
				t.Fatalf("the job ended with %s: %s", p.Code, p.Message)
			case *arcp.SessionError:
				t.Fatalf("refused with %s: %s", p.Code, p.Message)
			}
		}
	})
	return heard
}

// left are the remainders that were told, in order.
func left(heard []*arcp.Envelope) (told []string) {
	for _, e := range heard {
		if ev, ok := e.Payload.(*arcp.JobEvent); ok {
			if m, ok := ev.Body.(*arcp.MetricBody); ok && m.Name == arcp.MetricBudgetRemaining {
				told = append(told, string(m.Value)+" "+m.Unit)
			}
		}
	}
	return told
}

// TestDelegatedBudget: a named amount is the parent's no more until the child ends, and what is left of it comes back. guards F3
func TestDelegatedBudget(t *testing.T) {
	t.Parallel()
	heard := onBoss(t, nil, func(ctx context.Context, task *runtime.Task) error {
		give := func(amount, input string) (*runtime.Child, error) {
			return task.Delegate(ctx, &runtime.Delegation{
				Agent: "costs", Input: arcp.RawJSON(`"` + input + `"`), Lease: arcp.Lease{"cost.budget": {"USD:" + amount}},
			})
		}
		var children []*runtime.Child
		for range 2 {
			child, err := give("2", "0.50 0.25")
			if err != nil {
				return err
			}
			children = append(children, child)
		}
		if _, err := give("2", "1"); arcp.CodeOf(err) != arcp.CodeLeaseSubsetViolation {
			return fmt.Errorf("a third child of 2 out of 5: %w", err)
		}
		if _, err := give("2.00000000001", "1"); arcp.CodeOf(err) != arcp.CodeLeaseSubsetViolation {
			return fmt.Errorf("more than is left: %w", err)
		}
		for _, child := range children {
			if _, err := child.Result(ctx); err != nil {
				return err
			}
		}
		child, err := give("3.50", "3")
		if err != nil {
			return fmt.Errorf("what has come back: %w", err)
		}
		_, err = child.Result(ctx)
		return err
	})
	if got, want := left(heard), []string{"3 USD", "1 USD", "2.25 USD", "3.50 USD", "0.00 USD", "0.50 USD"}; !slices.Equal(got, want) {
		t.Errorf("what is left was told as %q, want %q", got, want)
	}
}

// TestInheritedCeilings: a child that leaves a ceiling out has its parent's. guards F1, F2
func TestInheritedCeilings(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) func() *arcp.LeaseConstraints {
		return func() *arcp.LeaseConstraints { return &arcp.LeaseConstraints{ExpiresAt: time.Now().Add(d).UTC()} }
	}
	for _, c := range []struct {
		name  string
		lease arcp.Lease
		lc    func() *arcp.LeaseConstraints
		code  arcp.ErrorCode
		want  string // the child's budget, models and time
	}{
		{"nothing", nil, nil, "", "[USD:5] [small-*] 1h0m0s"},
		{"empty", arcp.Lease{}, func() *arcp.LeaseConstraints { return &arcp.LeaseConstraints{} }, "", "[USD:5] [small-*] 1h0m0s"},
		{"less", arcp.Lease{"cost.budget": {"USD:2"}, "model.use": {"small-a"}}, at(time.Minute), "", "[USD:2] [small-a] 1m0s"},
		{"a ceiling", nil, func() *arcp.LeaseConstraints { return &arcp.LeaseConstraints{MaxBudget: []string{"USD:3"}} }, "", "[USD:3] [small-*] 1h0m0s"},
		{"a ceiling above", nil, func() *arcp.LeaseConstraints { return &arcp.LeaseConstraints{MaxBudget: []string{"USD:7"}} }, "", "[USD:5] [small-*] 1h0m0s"},
		{"later", nil, at(2 * time.Hour), arcp.CodeLeaseSubsetViolation, "expires_at"},
		{"before", nil, at(0), arcp.CodeInvalidRequest, "expires_at"},
		{"more money", arcp.Lease{"cost.budget": {"USD:5.01"}}, nil, arcp.CodeLeaseSubsetViolation, "cost.budget"},
		{"other money", arcp.Lease{"cost.budget": {"EUR:1"}}, nil, arcp.CodeLeaseSubsetViolation, "cost.budget"},
		{"a ceiling of other money", nil, func() *arcp.LeaseConstraints { return &arcp.LeaseConstraints{MaxBudget: []string{"EUR:3"}} }, arcp.CodeLeaseSubsetViolation, "EUR"},
		{"no money", nil, func() *arcp.LeaseConstraints { return &arcp.LeaseConstraints{MaxBudget: []string{"USD:x"}} }, arcp.CodeInvalidRequest, "max_budget"},
		{"other models", arcp.Lease{"model.use": {"*"}}, nil, arcp.CodeLeaseSubsetViolation, "model.use"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onBoss(t, &arcp.LeaseConstraints{}, func(ctx context.Context, task *runtime.Task) error {
				d := &runtime.Delegation{Agent: "wait", Lease: c.lease}
				if c.lc != nil {
					d.Constraints = c.lc()
				}
				child, err := task.Delegate(ctx, d)
				if arcp.CodeOf(err) != c.code || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("Delegate = %v, want %s of %q", err, c.code, c.want)
				}
				if err != nil {
					return nil
				}
				began := time.Now()
				_, err = child.Result(context.WithoutCancel(ctx))
				got := fmt.Sprint(child.Lease()["cost.budget"], " ", child.Lease()["model.use"], " ", time.Since(began))
				if got != c.want || arcp.CodeOf(err) != arcp.CodeLeaseExpired {
					t.Errorf("the child has %s, want %s", got, c.want)
				}
				return nil
			})
		})
	}
}
