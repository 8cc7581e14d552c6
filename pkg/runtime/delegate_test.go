package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
)

// mayDelegate is a submit to an agent that may delegate to all others.
func mayDelegate(agent string, more arcp.Lease) *arcp.JobSubmit {
	lease := arcp.Lease{arcp.NamespaceAgentDelegate: {"*"}}
	for ns, patterns := range more {
		lease[ns] = patterns
	}
	return &arcp.JobSubmit{Agent: agent, LeaseRequest: lease}
}

// delegate delegates to the agent that its input names, and ends with its result or the code of its error.
func delegate(ctx context.Context, t *runtime.Task) error {
	child, err := t.Delegate(ctx, &runtime.Delegation{
		Agent: strings.Trim(string(t.Input()), `"`), Input: arcp.RawJSON("2"), Lease: arcp.Lease{"fs.read": {"/w/a/*"}},
	})
	if err != nil {
		return set(t, arcp.CodeOf(err))
	}
	result, err := child.Result(ctx)
	if err != nil {
		return set(t, arcp.CodeOf(err))
	}
	return t.SetResult(result)
}

// boss runs f as the agent of a job with a lease, and returns what its session hears, up to the end.
func boss(t *testing.T, b *bench, c transport.Conn, session string, lease arcp.Lease, f runtime.AgentFunc) (heard []*arcp.Envelope) {
	t.Helper()
	if err := b.Handle("boss", f); err != nil {
		t.Fatal(err)
	}
	say(t, c, &arcp.Envelope{ID: "m", SessionID: session, Payload: mayDelegate("boss", lease)})
	for {
		e := hear(t, c)
		heard = append(heard, e)
		switch e.Payload.(type) {
		case *arcp.JobResult, *arcp.JobError, *arcp.SessionError:
			return heard
		}
	}
}

// told returns the kinds of the events heard and the types of the other frames.
func told(t *testing.T, heard []*arcp.Envelope) (kinds []string) {
	t.Helper()
	for _, e := range heard {
		if ev, ok := e.Payload.(*arcp.JobEvent); ok {
			kinds = append(kinds, string(ev.Kind))
			continue
		}
		kinds = append(kinds, string(e.Type))
	}
	return kinds
}

// rows returns the jobs of alice.
func rows(t *testing.T, b *bench) []store.JobRow {
	t.Helper()
	page, err := b.Store.Jobs(t.Context(), "alice", store.Filter{}, store.Cursor{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	return page.Rows
}

// TestDelegate: a child works for its parent, whose log tells of it; the session hears nothing else.
func TestDelegate(t *testing.T) {
	t.Parallel()
	bounded(t, nil, func(t *testing.T, b *bench, c transport.Conn, session string) {
		var trace, parent string
		if err := b.Handle("worker", runtime.AgentFunc(func(ctx context.Context, t *runtime.Task) error {
			trace, parent = t.TraceID(), runtime.Traceparent(ctx)
			return errors.Join(think(ctx, t, "work"), t.SetResult(t.Input()))
		})); err != nil {
			t.Fatal(err)
		}
		var here string
		heard := boss(t, b, c, session, arcp.Lease{"fs.read": {"/w/**"}, "x-vendor.a.b": {"*"}}, func(ctx context.Context, t *runtime.Task) error {
			here = runtime.Traceparent(ctx)
			child, err := t.Delegate(ctx, &runtime.Delegation{
				Agent: "worker", Input: arcp.RawJSON(`{"n":7}`), Lease: arcp.Lease{"fs.read": {"/w/a/*"}},
			})
			if err != nil {
				return err
			}
			result, err := child.Result(ctx)
			return errors.Join(err, t.SetResult(result))
		})
		if got := told(t, heard); !slices.Equal(got, []string{"job.accepted", "delegate", "tool_result", "job.result"}) {
			t.Fatalf("the session hears %q", got)
		}
		d := heard[1].Payload.(*arcp.JobEvent).Body.(*arcp.DelegateBody)
		if d.Agent != "worker@1.0.0" || string(d.Input) != `{"n":7}` || len(d.Lease) != 1 || d.Lease["fs.read"][0] != "/w/a/*" {
			t.Errorf("the parent says %+v", d)
		}
		r := heard[2].Payload.(*arcp.JobEvent).Body.(*arcp.ToolResultBody)
		p, err := arcp.DecodePayload(arcp.TypeJobResult, r.Result)
		end, ok := p.(*arcp.JobResult)
		if !ok || r.CallID != d.ChildJobID || string(end.Result) != `{"n":7}` || end.JobID != d.ChildJobID {
			t.Errorf("the child's end is told as %+v (%v)", r, err)
		}
		if res := heard[3].Payload.(*arcp.JobResult); string(res.Result) != `{"n":7}` {
			t.Errorf("the result is %s", res.Result)
		}
		if trace != heard[0].TraceID || parent != here || here == "" {
			t.Errorf("the child is under %q in trace %q, its parent under %q in %q", parent, trace, here, heard[0].TraceID)
		}
		list := rows(t, b)
		if len(list) != 2 || !strings.Contains(string(list[1].Summary)+string(list[0].Summary), `"parent_job_id":"`+heard[0].JobID+`"`) {
			t.Errorf("listed are %+v", list)
		}
	})
}

// TestDelegateBeyond: what the parent may not do, its child may not either, and the refusal is in the parent's log. guards F1
func TestDelegateBeyond(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		ask   runtime.Delegation
		code  arcp.ErrorCode
		tells string
	}{
		{"another agent", runtime.Delegation{Agent: "sleep"}, arcp.CodePermissionDenied, ""},
		{"another version", runtime.Delegation{Agent: "versions@1.5.0"}, arcp.CodePermissionDenied, ""},
		{"the named version", runtime.Delegation{Agent: "versions@2.0.0"}, "", ""},
		{"an unknown agent", runtime.Delegation{Agent: "nobody"}, arcp.CodeAgentNotAvailable, "nobody"},
		{"a wider pattern", runtime.Delegation{Agent: "echo", Lease: arcp.Lease{"fs.read": {"/w/**"}}}, arcp.CodeLeaseSubsetViolation, "/fs.read/0"},
		{"another namespace", runtime.Delegation{Agent: "echo", Lease: arcp.Lease{"tool.call": {"x"}}}, arcp.CodeLeaseSubsetViolation, "/tool.call"},
		{"delegation to others", runtime.Delegation{Agent: "echo", Lease: arcp.Lease{"agent.delegate": {"*"}}}, arcp.CodeLeaseSubsetViolation, "/agent.delegate/0"},
		{"a malformed lease", runtime.Delegation{Agent: "echo", Lease: arcp.Lease{"fs.read": {"/w/../x"}}}, arcp.CodeInvalidRequest, "/fs.read/0"},
		{"a malformed input", runtime.Delegation{Agent: "echo", Input: arcp.RawJSON("{")}, arcp.CodeInvalidRequest, "input"},
		{"what it may", runtime.Delegation{Agent: "echo", Input: arcp.RawJSON("1"), Lease: arcp.Lease{"fs.read": {"/w/x"}}}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bounded(t, nil, func(t *testing.T, b *bench, conn transport.Conn, session string) {
				lease := arcp.Lease{"agent.delegate": {"echo", "nobody", "versions@2.0.0"}, "fs.read": {"/w/*"}}
				heard := boss(t, b, conn, session, lease, func(ctx context.Context, task *runtime.Task) error {
					child, err := task.Delegate(ctx, &c.ask)
					if err == nil {
						_, err = child.Result(ctx)
					}
					if arcp.CodeOf(err) != c.code || err != nil && !strings.Contains(err.Error(), c.tells) {
						t.Errorf("Delegate = %v, want %s of %q", err, c.code, c.tells)
					}
					return nil
				})
				want := []string{"job.accepted", "tool_call", "tool_result", "job.result"}
				if c.code == "" {
					want[1] = "delegate"
				}
				if got := told(t, heard); !slices.Equal(got, want) {
					t.Fatalf("the log is %q, want %q", got, want)
				}
				body := heard[2].Payload.(*arcp.JobEvent).Body.(*arcp.ToolResultBody)
				if c.code != "" && (body.Error == nil || body.Error.Code != c.code) {
					t.Errorf("the refusal is logged as %+v", body)
				}
				if n := len(rows(t, b)); (n == 1) != (c.code != "") {
					t.Errorf("%d jobs are listed", n)
				}
			})
		})
	}
}

// TestEndCascades: whatever ends a job ends all below it first, and nobody begins anything more. guards F4
func TestEndCascades(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		agent  string // at the bottom
		cancel bool
		status arcp.JobStatus // of the root
		after  time.Duration
	}{
		{"cancel", "wait", true, arcp.StatusCancelled, 0},
		{"cancel of what does not stop", "stubborn", true, arcp.StatusCancelled, 10 * time.Second},
		{"return", "wait", false, arcp.StatusSuccess, 0},
		{"return before what does not stop", "stubborn", false, arcp.StatusSuccess, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bounded(t, nil, func(t *testing.T, b *bench, conn transport.Conn, session string) {
				var below atomic.Pointer[runtime.Child] // of the middle
				ends := make(chan bool, 2)              // says of each child that what is below it has ended before
				down := func(to string, stays bool) runtime.AgentFunc {
					return func(ctx context.Context, t *runtime.Task) error {
						child, err := t.Delegate(ctx, &runtime.Delegation{Agent: to, Lease: arcp.Lease{"agent.delegate": {"*"}}})
						if err != nil {
							return err
						}
						if to == c.agent {
							below.Store(child)
						}
						go func() {
							<-child.Done()
							select {
							case <-below.Load().Done():
								ends <- true
							default:
								ends <- false
							}
						}()
						if !stays {
							time.Sleep(time.Second)
						} else {
							<-ctx.Done()
							if _, err := t.Delegate(context.Background(), &runtime.Delegation{Agent: "echo"}); err == nil {
								return errors.New("delegated after the stop")
							}
						}
						return nil
					}
				}
				for name, f := range map[string]runtime.AgentFunc{"top": down("middle", c.cancel), "middle": down(c.agent, true)} {
					if err := b.Handle(name, f); err != nil {
						t.Fatal(err)
					}
				}
				say(t, conn, &arcp.Envelope{ID: "m", SessionID: session, Payload: mayDelegate("top", nil)})
				root := hear(t, conn).JobID
				synctest.Wait()
				began := time.Now()
				if !c.cancel {
					began = began.Add(time.Second)
				} else {
					say(t, conn, &arcp.Envelope{ID: "c", SessionID: session, JobID: root, Payload: &arcp.JobCancel{}})
				}
				for reported := false; ; {
					e := hear(t, conn)
					if ev, ok := e.Payload.(*arcp.JobEvent); ok {
						if r, ok := ev.Body.(*arcp.ToolResultBody); ok {
							reported = r.Error != nil && strings.Contains(string(r.Error.Details), arcp.ReasonParentEnded)
						}
					} else if e.Type != arcp.TypeJobCancelled {
						if !reported {
							t.Error("the end of the child is not in its parent's log")
						}
						break
					}
				}
				if d := time.Since(began); d != c.after {
					t.Errorf("the end came after %v, want %v", d, c.after)
				}
				for range 2 {
					if !<-ends {
						t.Error("a child ended before its own")
					}
				}
				for _, row := range rows(t, b) {
					want := arcp.StatusCancelled
					if row.JobID == root {
						want = c.status
					}
					if row.Status != string(want) {
						t.Errorf("%s is %s, want %s", row.Agent, row.Status, want)
					}
				}
			})
		})
	}
}

// TestSpansOfChildren: a child's span is under that of its delegation, which is under its parent's; they tell of lease and budget.
func TestSpansOfChildren(t *testing.T) {
	t.Parallel()
	s := &spans{}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(o *runtime.Options) { o.Spans = s.begin })
		defer b.stop(t)
		var served sync.WaitGroup
		defer served.Wait()
		c, welcome := greet(t, b, &served, nil, arcp.FeatureCostBudget, arcp.FeatureLeaseExpiresAt)
		defer func() { _ = c.Close("") }()
		if err := b.Handle("costs", runtime.AgentFunc(costs)); err != nil {
			t.Fatal(err)
		}
		if err := b.Handle("boss", runtime.AgentFunc(func(ctx context.Context, task *runtime.Task) error {
			child, err := task.Delegate(ctx, &runtime.Delegation{
				Agent: "costs", Input: arcp.RawJSON(`"0.5"`), Lease: arcp.Lease{"cost.budget": {"USD:2"}},
			})
			if err != nil {
				return err
			}
			_, err = child.Result(ctx)
			return err
		})); err != nil {
			t.Fatal(err)
		}
		submit := mayDelegate("boss", arcp.Lease{"cost.budget": {"USD:5"}})
		submit.LeaseConstraints = &arcp.LeaseConstraints{ExpiresAt: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)}
		say(t, c, &arcp.Envelope{ID: "m", SessionID: welcome.SessionID, TraceID: upstream, Payload: submit})
		synctest.Wait()
	})
	under := func(n int) string { return arcp.Traceparent(traceID, fmt.Sprintf("%016x", n)) }
	const lease = "arcp.lease.expires_at=2001-02-03 04:05:06 +0000 UTC arcp.job.status=success"
	want := []string{
		"arcp.delegate under " + under(1) + " arcp.agent=costs error=<nil>",
		"arcp.job under " + under(2) + " arcp.agent=costs@1.0.0 arcp.job.attempt=1 " + lease + " arcp.budget.remaining=[USD:1.5] error=<nil>",
		"arcp.job under " + upstream + " arcp.agent=boss@1.0.0 arcp.job.attempt=1 " + lease + " arcp.budget.remaining=[USD:4.5] error=<nil>",
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.ended) // a delegation and its child may end in any order
	if !slices.Equal(s.ended, want) {
		t.Errorf("ended\n%s\nwant\n%s", strings.Join(s.ended, "\n"), strings.Join(want, "\n"))
	}
}
