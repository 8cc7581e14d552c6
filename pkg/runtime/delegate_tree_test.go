package runtime_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// tree is what a random tree of jobs does with one budget, kept outside of the runtime.
type tree struct {
	mu    sync.Mutex
	busy  sync.WaitGroup
	spent arcp.Budget
	aside arcp.Budget // by holds; those that nobody settled stay
	most  arcp.Amount
	over  []string
	jobs  int
}

// planned is the input of the agent "grow".
type planned struct {
	Seed  uint64 `json:"seed"`
	Depth int    `json:"depth"`
}

func usd(milli int) arcp.Budget {
	a, err := arcp.ParseAmount(fmt.Sprintf("%d.%03d", milli/1000, milli%1000))
	if err != nil {
		panic(err)
	}
	return arcp.Budget{"USD": a}
}

// moves notes a change, and that the sum is within the grant after it.
func (tr *tree) moves(what string, spent, aside arcp.Budget) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.spent, tr.aside = tr.spent.Add(spent), tr.aside.Add(aside)
	if sum := tr.spent.Add(tr.aside)["USD"]; sum.Cmp(tr.most) > 0 {
		tr.over = append(tr.over, fmt.Sprintf("%s: %s is spent or set aside", what, sum))
	}
}

// grow does a few things at once: it works for money that it has set aside, and has children that do the same.
func (tr *tree) grow(ctx context.Context, t *runtime.Task) error {
	var p planned
	if err := dynjson.Unmarshal(t.Input(), &p); err != nil {
		return err
	}
	tr.mu.Lock()
	tr.jobs++
	tr.mu.Unlock()
	r := rand.New(rand.NewPCG(p.Seed, 7))
	var busy sync.WaitGroup
	for range 3 + r.IntN(4) {
		seed := r.Uint64()
		tr.busy.Add(1)
		busy.Go(func() {
			defer tr.busy.Done()
			r := rand.New(rand.NewPCG(seed, 8))
			if time.Sleep(time.Duration(r.IntN(50)) * time.Millisecond); p.Depth > 0 && r.IntN(2) == 0 {
				tr.give(ctx, t, r, p.Depth-1)
			} else {
				tr.work(ctx, t, r)
			}
		})
	}
	if r.IntN(3) > 0 { // or its children are cut off
		busy.Wait()
	} else {
		time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond)
	}
	return nil
}

func (tr *tree) give(ctx context.Context, t *runtime.Task, r *rand.Rand, depth int) {
	input, _ := dynjson.Marshal(planned{r.Uint64(), depth})
	d := &runtime.Delegation{Agent: "grow", Input: input, Lease: arcp.Lease{arcp.NamespaceAgentDelegate: {"*"}}}
	if r.IntN(3) > 0 {
		d.Lease[arcp.NamespaceCostBudget] = usd(r.IntN(1500)).Entries()
	}
	child, err := t.Delegate(ctx, d)
	if err != nil {
		return // there is not as much
	}
	if r.IntN(4) == 0 {
		time.Sleep(time.Duration(r.IntN(40)) * time.Millisecond)
		child.Cancel("")
	}
	_, _ = child.Result(ctx)
}

func (tr *tree) work(ctx context.Context, t *runtime.Task, r *rand.Rand) {
	price := r.IntN(700)
	h, err := t.Reserve(ctx, "cost.work", usd(price))
	if err != nil {
		return
	}
	tr.moves("reserve", nil, usd(price))
	time.Sleep(time.Duration(r.IntN(50)) * time.Millisecond)
	if r.IntN(8) == 0 { // it forgets to settle: all of it counts as spent at the end of its job
		return
	}
	// What is left of the price may be given away before Settle has returned, so it is noted before; of a job that has ended nothing is.
	cost := usd(r.IntN(price + 1))
	tr.moves("settle", cost, arcp.Budget{}.Sub(usd(price)))
	if err := h.Settle(context.WithoutCancel(ctx), cost); err != nil {
		tr.moves("too late", nil, usd(price).Sub(cost))
	}
}

// TestTreesStayWithinTheGrant: whatever the jobs of a tree do at once, spent and set aside are never more than its root was granted, and
// in the end exactly what was not spent is left. guards F3, G8
func TestTreesStayWithinTheGrant(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { growTree(t, seed) })
		})
	}
}

func growTree(t *testing.T, seed uint64) {
	b := newBench(t, nil)
	defer b.stop(t)
	granted := usd(1000 + rand.New(rand.NewPCG(seed, 1)).IntN(4000))
	tr := &tree{most: granted["USD"]}
	if err := b.Handle("grow", runtime.AgentFunc(tr.grow)); err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	defer served.Wait()
	c, welcome := greet(t, b, &served, nil, arcp.FeatureCostBudget)
	defer func() { _ = c.Close("") }()
	submit := mayDelegate("grow", arcp.Lease{"cost.budget": granted.Entries()})
	submit.Input, _ = dynjson.Marshal(planned{seed, 3})
	say(t, c, &arcp.Envelope{ID: "m", SessionID: welcome.SessionID, Payload: submit})
	root := hear(t, c).JobID
	for {
		switch e := hear(t, c); p := e.Payload.(type) {
		case *arcp.JobResult:
			tr.judge(t, b, root, granted)
			return
		case *arcp.JobEvent:
			if m, ok := p.Body.(*arcp.MetricBody); ok && m.Name == arcp.MetricBudgetRemaining && m.Value[0] == '-' {
				t.Errorf("%s is left", m.Value)
			}
		default:
			t.Fatalf("the tree ended with %+v", p)
		}
	}
}

// judge compares with what the runtime says.
func (tr *tree) judge(t *testing.T, b *bench, root string, granted arcp.Budget) {
	tr.busy.Wait()
	page, err := b.Store.Jobs(t.Context(), "alice", store.Filter{}, store.Cursor{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	left, n := arcp.Budget(nil), 0
	for _, row := range page.Rows {
		p, err := arcp.DecodePayload(arcp.TypeJobAccepted, row.Summary)
		if n++; err != nil || row.Status == string(arcp.StatusRunning) {
			t.Errorf("%s is %s (%v)", row.JobID, row.Status, err)
		}
		if row.JobID == root {
			left = p.(*arcp.JobAccepted).Budget
		}
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if len(tr.over) > 0 {
		t.Errorf("beyond the grant of %s: %q", tr.most, tr.over)
	}
	if want := granted.Sub(tr.spent).Sub(tr.aside)["USD"]; left["USD"].Cmp(want) != 0 {
		t.Errorf("%s is left, want %s of %s", left["USD"], want, tr.most)
	}
}
