package runtime_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// chief delegates in its first run to children that spend and do not end, one from a budget of its own and one from its parent's. In its
// second run it finds out how much is left.
func chief(ctx context.Context, task *runtime.Task) error {
	try := func(input string, lease arcp.Lease) error {
		_, err := task.Delegate(ctx, &runtime.Delegation{Agent: "spender", Input: arcp.RawJSON(input), Lease: lease})
		return err
	}
	if task.Attempt() == 1 {
		if err := try(`"0.75"`, arcp.Lease{"cost.budget": {"USD:1"}}); err != nil {
			return err
		}
		if err := try(`"0.5"`, nil); err != nil {
			return err
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}
	if err := try(`"0"`, arcp.Lease{"cost.budget": {"USD:0.76"}}); arcp.CodeOf(err) != arcp.CodeLeaseSubsetViolation {
		return fmt.Errorf("more than is left: %w", err)
	}
	if err := try(`"0"`, arcp.Lease{"cost.budget": {"USD:0.75"}}); err != nil {
		return err
	}
	return task.SetResult(arcp.RawJSON(`"exact"`))
}

func spender(ctx context.Context, task *runtime.Task) error {
	if err := costs(ctx, task); err != nil {
		return err
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// TestChildrenAfterARestart: a job that runs again has no children of its run before, and what these have spent is spent. A job that does
// not run again has none either. guards F4
func TestChildrenAfterARestart(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		agents := func() {
			for name, a := range map[string]runtime.Agent{
				"chief": runtime.Restartable(runtime.AgentFunc(chief)), "once": runtime.AgentFunc(chief),
				"spender": runtime.Restartable(runtime.AgentFunc(spender)),
			} {
				if err := l.a.Handle(name, a); err != nil {
					t.Fatal(err)
				}
			}
		}
		agents()
		for _, name := range []string{"chief", "once"} {
			l.join(t, l.a, "alice", arcp.FeatureCostBudget).submit(mayDelegate(name, arcp.Lease{"cost.budget": {"USD:2"}}))
		}
		synctest.Wait()
		l.die(t)
		l.begin(t)
		agents()
		if err := l.a.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		ends := map[string]int{}
		page, err := l.Jobs(t.Context(), "alice", store.Filter{}, store.Cursor{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Rows {
			ends[row.Agent+" "+row.Status]++
		}
		want := map[string]int{"chief@1.0.0 success": 1, "once@1.0.0 error": 1, "spender@1.0.0 cancelled": 5}
		if fmt.Sprint(ends) != fmt.Sprint(want) {
			t.Errorf("ended %v, want %v", ends, want)
		}
	})
}

// TestWatchedChildSurvives: a session that watches a child of its own job is given the rest of it after a restart, and the child is
// not accepted to it.
func TestWatchedChildSurvives(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		idle := runtime.AgentFunc(func(ctx context.Context, task *runtime.Task) error {
			if task.Agent() == "top@1.0.0" {
				if _, err := task.Delegate(ctx, &runtime.Delegation{Agent: "below"}); err != nil {
					return err
				}
			}
			<-ctx.Done()
			return context.Cause(ctx)
		})
		agents := func() {
			for _, name := range []string{"top", "below"} {
				if err := l.a.Handle(name, idle); err != nil {
					t.Fatal(err)
				}
			}
		}
		agents()
		p := l.join(t, l.a, "alice")
		p.submit(mayDelegate("top", nil))
		e := hear(t, p.conn)
		p.last = e.EventSeq
		child := e.Payload.(*arcp.JobEvent).Body.(*arcp.DelegateBody).ChildJobID
		p.say("s", &arcp.JobSubscribe{JobID: child})
		p.want("job.subscribed running from 0")
		l.die(t)
		l.begin(t)
		agents()
		p.resume(l.a, 1)
		heard := map[string]bool{p.hear(): true, p.hear(): true, p.hear(): true}
		for _, want := range []string{"job.subscribed running from 0", `job.error CANCELLED false {"reason":"parent_ended"}`, restarted} {
			if !heard[want] {
				t.Errorf("heard %v, want %s", heard, want)
			}
		}
	})
}
