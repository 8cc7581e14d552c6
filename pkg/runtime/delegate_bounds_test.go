package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
)

// TestChildrenAreCounted: a job has so many unfinished children and no more, of its session's and its principal's jobs, and the end of one
// makes room.
func TestChildrenAreCounted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limit  string
		change func(*runtime.Options)
	}{
		{"job_children", func(o *runtime.Options) { o.Limits.JobChildren = 2 }},
		{"session_jobs", func(o *runtime.Options) { o.Limits.SessionJobs = 3 }},
		{"principal_jobs", func(o *runtime.Options) { o.Limits.PrincipalJobs = 3 }},
	} {
		t.Run(c.limit, func(t *testing.T) {
			t.Parallel()
			bounded(t, c.change, func(t *testing.T, b *bench, conn transport.Conn, session string) {
				boss(t, b, conn, session, nil, func(ctx context.Context, task *runtime.Task) error {
					give := func() (*runtime.Child, error) { return task.Delegate(ctx, &runtime.Delegation{Agent: "wait"}) }
					first, err := give()
					_, err2 := give()
					if err := errors.Join(err, err2); err != nil {
						t.Error(err)
						return err
					}
					if _, err = give(); arcp.CodeOf(err) != arcp.CodeRateLimited || !strings.Contains(err.Error(), c.limit) {
						t.Errorf("one more = %v, want %s", err, c.limit)
					}
					first.Cancel("room")
					if _, err := first.Result(ctx); arcp.CodeOf(err) != arcp.CodeCancelled || !strings.Contains(string(errorDetails(err)), `"room"`) {
						t.Errorf("the child ended with %v", err)
					}
					if _, err := give(); err != nil {
						t.Errorf("with room for it: %v", err)
					}
					return nil
				})
				synctest.Wait()
				if got := b.Stats().Jobs; got != 0 {
					t.Errorf("%d jobs run on", got)
				}
			})
		})
	}
}

func errorDetails(err error) arcp.RawJSON {
	var e *arcp.Error
	if errors.As(err, &e) {
		return e.Details
	}
	return nil
}

// TestDepth: as many jobs stand above a job as may, and no more.
func TestDepth(t *testing.T) {
	t.Parallel()
	bounded(t, func(o *runtime.Options) { o.Limits.JobDepth = 3 }, func(t *testing.T, b *bench, conn transport.Conn, session string) {
		heard := boss(t, b, conn, session, nil, func(ctx context.Context, task *runtime.Task) error {
			child, err := task.Delegate(ctx, &runtime.Delegation{Agent: "boss", Lease: task.Lease()})
			if arcp.CodeOf(err) == arcp.CodePermissionDenied {
				return task.SetResult(arcp.RawJSON("0"))
			}
			if err != nil {
				return err
			}
			below, err := child.Result(ctx)
			if err != nil {
				return err
			}
			n := 0
			_, err = fmt.Sscan(string(below), &n)
			return errors.Join(err, set(task, n+1))
		})
		if res, ok := heard[len(heard)-1].Payload.(*arcp.JobResult); !ok || string(res.Result) != "3" {
			t.Errorf("the end is %+v, want three below the first", heard[len(heard)-1].Payload)
		}
	})
}

// TestChildResult: a parent has what its child streamed in one piece, and what it failed with.
func TestChildResult(t *testing.T) {
	t.Parallel()
	bounded(t, nil, func(t *testing.T, b *bench, conn transport.Conn, session string) {
		boss(t, b, conn, session, nil, func(ctx context.Context, task *runtime.Task) error {
			for agent, want := range map[string]string{
				"chunks": `"abcdééééé"`, "bytes": `"AAECAwQFBgcI"`, "echo": "2", "fail": "BUDGET_EXHAUSTED", "broken": "INTERNAL_ERROR", "versions": `"2.0.0"`,
			} {
				child, err := task.Delegate(ctx, &runtime.Delegation{Agent: agent, Input: arcp.RawJSON("2")})
				if err != nil {
					return err
				}
				result, err := child.Result(ctx)
				if got := string(result) + string(arcp.CodeOf(err)); got != want {
					t.Errorf("%s gave %s, want %s", child.Agent(), got, want)
				}
			}
			return nil
		})
	})
}

// TestChildTimes: a child runs as long as it was given, and waiting for it ends with the waiter.
func TestChildTimes(t *testing.T) {
	t.Parallel()
	bounded(t, nil, func(t *testing.T, b *bench, conn transport.Conn, session string) {
		boss(t, b, conn, session, nil, func(ctx context.Context, task *runtime.Task) error {
			child, err := task.Delegate(ctx, &runtime.Delegation{Agent: "sleep", MaxRuntime: 5 * time.Second})
			if err != nil {
				return err
			}
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if _, err := child.Result(short); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Result after a second = %v", err)
			}
			began := time.Now()
			if _, err := child.Result(ctx); arcp.CodeOf(err) != arcp.CodeTimeout || time.Since(began) != 4*time.Second {
				t.Errorf("Result = %v after %v, want a timeout 4 s later", err, time.Since(began))
			}
			return nil
		})
	})
}

// TestDelegateAfterTheEnd: neither a job that has ended nor one that only waits for its children does anything more.
func TestDelegateAfterTheEnd(t *testing.T) {
	t.Parallel()
	bounded(t, nil, func(t *testing.T, b *bench, conn transport.Conn, session string) {
		later := make(chan error, 2)
		boss(t, b, conn, session, nil, func(ctx context.Context, task *runtime.Task) error {
			if _, err := task.Delegate(ctx, &runtime.Delegation{Agent: "stubborn"}); err != nil {
				return err
			}
			for _, wait := range []time.Duration{5 * time.Second, time.Minute} { // before the end of its child, and after it
				go func() {
					time.Sleep(wait)
					_, err := task.Delegate(context.Background(), &runtime.Delegation{Agent: "echo"})
					asked := task.Authorize(context.Background(), arcp.NamespaceAgentDelegate, "echo")
					later <- errors.Join(err, asked, task.SetResult(arcp.RawJSON("1")), think(context.Background(), task, "late"))
				}()
			}
			return task.SetResult(arcp.RawJSON("0"))
		})
		for range 2 {
			if err := <-later; strings.Count(fmt.Sprint(err), runtime.ErrJobOver.Error()) != 4 {
				t.Errorf("after the return: %v", err)
			}
		}
		if n := len(rows(t, b)); n != 2 {
			t.Errorf("%d jobs are listed, want 2", n)
		}
	})
}
