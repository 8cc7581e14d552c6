package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// spend is the input of one operation on a budget, in thousandths.
type spend struct {
	do    string // "reserve", "give" to a child, "settle" either of them, "look"
	price int
	cost  int // of what was settled
}

// purse is the model of §9.6 and §10: the state is what is left. Something may be set aside, for an operation or for a child, while
// something is left, and as much as that. What was set aside and not used comes back. The output is whether it was done, or what was seen.
func purse(granted int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return granted },
		Step: func(state, input, output any) (bool, any) {
			left, in := state.(int), input.(spend)
			switch in.do {
			case "settle":
				return true, left + in.price - in.cost
			case "look":
				return output == left, left
			}
			may := left > 0 && in.price <= left
			if may {
				left -= in.price
			}
			return output == may, left
		},
	}
}

func milli(n int) arcp.Budget {
	b, err := arcp.ParseBudgets([]string{fmt.Sprintf("USD:%d.%03d", n/1000, n%1000)})
	if err != nil {
		panic(err)
	}
	return b
}

// crowd is many that use one budget at once, in one job.
type crowd struct {
	*rig
	seed uint64
	done sync.WaitGroup
	runs sync.Map // when a child began, by its id
}

func (c *crowd) Run(ctx context.Context, t *arcprt.Task) error {
	for who := range 5 {
		c.done.Go(func() {
			r := rand.New(rand.NewPCG(c.seed, uint64(who)))
			for range 6 {
				c.use(ctx, t, r, who)
			}
		})
	}
	c.done.Wait()
	return nil
}

func (c *crowd) use(ctx context.Context, t *arcprt.Task, r *rand.Rand, who int) {
	price := r.IntN(6)
	cost := r.IntN(price + 1)
	switch r.IntN(5) {
	case 0:
		c.do(who, spend{do: "look"}, func() any {
			left, err := strconv.Atoi(strings.Replace(t.Budget()["USD"].String(), "0.", "", 1))
			if err != nil {
				c.t.Error(err)
			}
			return left
		})
	case 1, 2:
		var child *arcprt.Child
		c.do(who, spend{do: "give", price: price}, func() any {
			var err error
			child, err = t.Delegate(ctx, &arcprt.Delegation{
				Agent: "pays", Input: arcp.RawJSON(strconv.Itoa(cost)), Lease: arcp.Lease{arcp.NamespaceCostBudget: milli(price).Entries()},
			})
			return err == nil
		})
		if child != nil {
			if _, err := child.Result(ctx); err != nil {
				c.t.Error(err)
			}
			began, _ := c.runs.Load(child.JobID())
			c.doSince(began.(int64), who, spend{do: "settle", price: price, cost: cost}, func() any { return true })
		}
	default:
		var hold *arcprt.Hold
		c.do(who, spend{do: "reserve", price: price}, func() any {
			var err error
			hold, err = t.Reserve(ctx, "cost.work", milli(price))
			return err == nil
		})
		if hold != nil {
			c.do(who, spend{do: "settle", price: price, cost: cost}, func() any {
				if err := hold.Settle(ctx, milli(cost)); err != nil {
					c.t.Error(err)
				}
				return true
			})
		}
	}
}

// pays has the costs that its input says. What it leaves may come back from now on, whenever its parent hears of it.
func (c *crowd) pays(ctx context.Context, t *arcprt.Task) error {
	c.runs.Store(t.JobID(), c.clock.Add(1))
	cost, err := strconv.Atoi(string(t.Input()))
	if err != nil {
		return err
	}
	return t.Metric(ctx, "cost.work", arcp.Number(milli(cost)["USD"].String()), "USD")
}

// guards G8, F3: whoever sets money aside at once with others, for itself or for a child, has it alone.
func TestBudget(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		const granted = 9
		g := open(t)
		c := &crowd{rig: g, seed: seed}
		for name, a := range map[string]arcprt.Agent{"crowd": c, "pays": arcprt.AgentFunc(c.pays)} {
			if err := g.rt.Handle(name, a); err != nil {
				t.Fatal(err)
			}
		}
		p, _ := g.dial("alice", nil, arcp.FeatureCostBudget)
		p.write(&arcp.JobSubmit{Agent: "crowd", LeaseRequest: arcp.Lease{
			arcp.NamespaceCostBudget: milli(granted).Entries(), arcp.NamespaceAgentDelegate: {"*"},
		}})
		if e := p.read(func(e *arcp.Envelope) bool { return e.Type == arcp.TypeJobResult || e.Type == arcp.TypeJobError }); e == nil || e.Type != arcp.TypeJobResult {
			t.Fatalf("the job ended with %+v", e)
		}
		p.close()
		if !porcupine.CheckOperations(purse(granted), g.ops) {
			for _, op := range g.ops {
				t.Logf("%3d-%3d client %d %+v = %v", op.Call, op.Return, op.ClientId, op.Input, op.Output)
			}
			t.Fatalf("seed %d: the history of %d uses is not linearizable", seed, len(g.ops))
		}
	}
}

// The model refuses histories of runtimes with a bug.
func TestMutantsOfBudgets(t *testing.T) {
	t.Parallel()
	at := func(call int64, in spend, out any) porcupine.Operation {
		return porcupine.Operation{ClientId: int(call), Input: in, Call: call, Output: out, Return: call + 5}
	}
	for _, c := range []struct {
		name string
		want bool
		ops  []porcupine.Operation
	}{
		{"one after the other", true, []porcupine.Operation{
			at(0, spend{"reserve", 2, 0}, true), at(10, spend{"settle", 2, 1}, true), at(20, spend{"give", 1, 0}, true), at(30, spend{do: "look"}, 0),
		}},
		{"two have the last cent", false, []porcupine.Operation{at(0, spend{"reserve", 2, 0}, true), at(1, spend{"reserve", 1, 0}, true)}},
		{"a child has what is set aside", false, []porcupine.Operation{at(0, spend{"reserve", 2, 0}, true), at(1, spend{"give", 1, 0}, true)}},
		{"nothing comes back", false, []porcupine.Operation{
			at(0, spend{"give", 2, 0}, true), at(10, spend{"settle", 2, 0}, true), at(20, spend{"reserve", 2, 0}, false),
		}},
		{"what was spent comes back", false, []porcupine.Operation{
			at(0, spend{"give", 2, 0}, true), at(10, spend{"settle", 2, 1}, true), at(20, spend{"reserve", 2, 0}, true),
		}},
		{"nothing is asked for with nothing left", false, []porcupine.Operation{at(0, spend{"reserve", 2, 0}, true), at(10, spend{"reserve", 0, 0}, true)}},
	} {
		if got := porcupine.CheckOperations(purse(2), c.ops); got != c.want {
			t.Errorf("%s: linearizable = %v, want %v", c.name, got, c.want)
		}
	}
}
