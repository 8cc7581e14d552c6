package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

func money(t *testing.T, amount string) arcp.Budget {
	t.Helper()
	b, err := arcp.ParseBudgets([]string{"USD:" + amount})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLastCent: of many operations at once no more are authorised than there is money for, and what was set aside is settled or given back.
// guards G8, T19.
func TestLastCent(t *testing.T) {
	t.Parallel()
	var done, refused atomic.Int64
	var left string
	heard := underLease(t, nil, &arcp.JobSubmit{LeaseRequest: arcp.Lease{"cost.budget": {"USD:1.00"}}}, func(ctx context.Context, task *runtime.Task) error {
		var wg sync.WaitGroup
		price := money(t, "0.03")
		for i := range 64 {
			wg.Go(func() {
				h, err := task.Reserve(ctx, "cost.call", price)
				switch {
				case arcp.CodeOf(err) == arcp.CodeBudgetExhausted:
					refused.Add(1)
				case err != nil:
					t.Error(err)
				case i%8 == 0:
					_ = h.Release(ctx) // it did not happen
				default:
					done.Add(1)
					if err := errors.Join(h.Settle(ctx, price), h.Settle(ctx, price)); err != nil { // the second does nothing
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		left = fmt.Sprint(task.Budget()["USD"])
		_, err := task.Reserve(ctx, "speed", price)
		return err
	})
	want := fmt.Sprintf("%.2f", 1-0.03*float64(done.Load()))
	if done.Load() > 33 || refused.Load() == 0 || left != want {
		t.Errorf("%d done, %d refused, %s left, want %s", done.Load(), refused.Load(), left, want)
	}
	if got := int64(len(denials(heard))); got != refused.Load() {
		t.Errorf("%d refusals in the log, want %d", got, refused.Load())
	}
	if end, ok := heard[len(heard)-1].Payload.(*arcp.JobError); !ok || end.Code != arcp.CodeInvalidRequest {
		t.Errorf("a metric that is no cost: %+v", heard[len(heard)-1].Payload)
	}
}

// dying is a store whose node is lost at its n-th commit.
type dying struct {
	*mortal
	left atomic.Int64
}

func (d *dying) Commit(ctx context.Context, b *store.Batch) error {
	if d.left.Add(-1) == 0 {
		d.Lose(d.node)
	}
	return d.mortal.Commit(ctx, b)
}

// TestSpendOutlivesKills: wherever the runtime is killed, the next run has what the costs that anybody can see have left, and what was set
// aside counts as spent.
func TestSpendOutlivesKills(t *testing.T) {
	t.Parallel()
	var again atomic.Int64
	t.Cleanup(func() {
		if again.Load() < 12 {
			t.Errorf("%d jobs ran again: the kills came too early", again.Load())
		}
	})
	for kill := int64(2); kill < 24; kill++ {
		t.Run(fmt.Sprint(kill), func(t *testing.T) {
			onLives(t, func(t *testing.T, l *lives) {
				d := &dying{mortal: l.store}
				l.more = func(o *runtime.Options) { o.Store = d }
				var left arcp.Budget
				over := make(chan struct{})
				agent := runtime.Restartable(runtime.AgentFunc(func(ctx context.Context, task *runtime.Task) error {
					if task.Attempt() > 1 {
						left = task.Budget()
						close(over)
						return nil
					}
					for range 4 {
						_ = task.Metric(ctx, "cost.a", "0.001", "USD")
						if h, err := task.Reserve(ctx, "cost.b", money(t, "2")); err == nil {
							_ = h.Settle(ctx, money(t, "1.5"))
						}
						_ = task.Flush(ctx)
					}
					<-ctx.Done()
					return context.Cause(ctx)
				}))
				l.die(t)
				l.begin(t)
				if err := l.a.Handle("agent", agent); err != nil {
					t.Fatal(err)
				}
				p := l.join(t, l.a, "alice", arcp.FeatureCostBudget)
				d.left.Store(kill)
				p.say("submit", &arcp.JobSubmit{Agent: "agent", LeaseRequest: arcp.Lease{"cost.budget": {"USD:10"}}})
				synctest.Wait()
				d.left.Store(0)
				l.dead = append(l.dead, l.a)
				l.Lose(l.store.node)
				synctest.Wait()
				l.begin(t)
				if err := errors.Join(l.a.Handle("agent", agent), l.a.Start(t.Context())); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				select {
				case <-over:
					again.Add(1)
				default:
					return // killed before the job was there
				}
				seen := money(t, "0")
				w := l.join(t, l.a, "alice", arcp.FeatureSubscribe, arcp.FeatureListJobs)
				w.say("list", &arcp.SessionListJobs{})
				row := hear(t, w.conn).Payload.(*arcp.SessionJobs).Jobs[0]
				w.say("s", &arcp.JobSubscribe{JobID: row.JobID, History: true})
				subscribed := hear(t, w.conn).Payload.(*arcp.JobSubscribed)
				for {
					e := hear(t, w.conn)
					ev, ok := e.Payload.(*arcp.JobEvent)
					if !ok {
						break
					}
					if m, ok := ev.Body.(*arcp.MetricBody); ok && !strings.HasPrefix(m.Name, arcp.MetricBudgetPrefix) {
						seen = seen.Add(money(t, string(m.Value)))
					}
				}
				unspent := money(t, "10").Sub(seen).Sub(left)["USD"] // of a hold that nobody settled, or nothing
				if s := unspent.String(); unspent.Sign() != 0 && s != "2.000" && s != "2" && s != "2.0" {
					t.Errorf("%v left, and costs of %v are in the log: %s is missing", left, seen, s)
				}
				if row.Budget["USD"].Cmp(left["USD"]) != 0 || subscribed.Budget["USD"].Cmp(left["USD"]) != 0 {
					t.Errorf("listed %v, subscribed %v, want %v", row.Budget, subscribed.Budget, left)
				}
			})
		})
	}
}

// TestSpendOutlivesTrimming: a cost is remembered however much of the log is gone.
func TestSpendOutlivesTrimming(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		l.more = func(o *runtime.Options) { o.Limits.LogBytes = 1 }
		l.die(t)
		l.begin(t)
		left := make(chan arcp.Budget, 1)
		agent := runtime.Restartable(runtime.AgentFunc(func(ctx context.Context, task *runtime.Task) error {
			if task.Attempt() > 1 {
				left <- task.Budget()
				return nil
			}
			if err := task.Metric(ctx, "cost.a", "0.25", "USD"); err != nil {
				return err
			}
			for range 100 {
				if err := errors.Join(think(ctx, task, strings.Repeat("x", 32<<10)), task.Flush(ctx)); err != nil {
					return err
				}
			}
			<-ctx.Done()
			return context.Cause(ctx)
		}))
		if err := l.a.Handle("agent", agent); err != nil {
			t.Fatal(err)
		}
		p := l.join(t, l.a, "alice", arcp.FeatureCostBudget)
		id := p.submit(&arcp.JobSubmit{Agent: "agent", LeaseRequest: arcp.Lease{"cost.budget": {"USD:1"}}})
		p.close()
		synctest.Wait()
		if head, err := l.Lookup(t.Context(), store.Key{Kind: store.KindJob, ID: id}); err != nil || head.First < 10 {
			t.Fatalf("nothing was trimmed: %+v, %v", head, err)
		}
		l.die(t)
		l.begin(t)
		if err := errors.Join(l.a.Handle("agent", agent), l.a.Start(t.Context())); err != nil {
			t.Fatal(err)
		}
		if got := <-left; got["USD"].String() != "0.75" {
			t.Errorf("%v left, want 0.75", got)
		}
	})
}

// TestBudgetElsewhere: a node that does not run the job shows what is left of its budget, too.
func TestBudgetElsewhere(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		release := make(chan struct{})
		if err := n.a.Handle("pay", runtime.AgentFunc(func(ctx context.Context, task *runtime.Task) error {
			err := task.Metric(ctx, "cost.a", "0.25", "USD")
			<-release
			return errors.Join(err, task.Metric(ctx, "cost.a", "0.5", "USD"))
		})); err != nil {
			t.Fatal(err)
		}
		p, w := n.join(t, n.a, "alice", arcp.FeatureCostBudget), n.join(t, n.b, "alice")
		id := p.submit(&arcp.JobSubmit{Agent: "pay", LeaseRequest: arcp.Lease{"cost.budget": {"USD:1"}}})
		p.want("metric", "metric")
		shown := func() string {
			t.Helper()
			synctest.Wait()
			w.say("list", &arcp.SessionListJobs{})
			row := hear(t, w.conn).Payload.(*arcp.SessionJobs).Jobs[0]
			w.say("s", &arcp.JobSubscribe{JobID: id})
			return row.Budget["USD"].String() + " " + hear(t, w.conn).Payload.(*arcp.JobSubscribed).Budget["USD"].String()
		}
		if got := shown(); got != "0.75 0.75" {
			t.Errorf("listed and subscribed while it runs: %s, want 0.75 twice", got)
		}
		close(release)
		p.want("metric", "metric", "result null")
		w.want("metric", "metric", "result null")
		if got := shown(); got != "0.25 0.25" {
			t.Errorf("listed and subscribed when it has ended: %s, want 0.25 twice", got)
		}
	})
}
