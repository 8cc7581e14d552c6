package runtime

import (
	"context"
	"maps"
	"strings"
	"sync/atomic"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// Budget returns what is left of each currency that limits the job, below 0 where it was overspent; nil when none does (§9.6).
func (t *Task) Budget() arcp.Budget { return t.job.grant.purse.remaining() }

// Hold is money set aside for an operation whose price is known. It must be settled or released once; what is not by the end of the job
// counts as spent. It may be used from any goroutine.
type Hold struct {
	task   *Task
	metric string
	price  arcp.Budget // in the currencies that limit the job
	hold   *core.Hold
	over   atomic.Bool
}

// Reserve sets the price of an operation aside before it is done, so that two at once do not spend the same money. Metric is the name, with
// the prefix "cost.", under which Settle will report what it has cost. BUDGET_EXHAUSTED says that less is left than the price; the log has that as
// Authorize would. Currencies that do not limit the job cost nothing. It returns once the store has the reservation: a runtime that is killed
// before the operation is settled counts it as spent. Ctx bounds that wait.
func (t *Task) Reserve(ctx context.Context, metric string, price arcp.Budget) (*Hold, error) {
	if !strings.HasPrefix(metric, arcp.MetricCostPrefix) || strings.HasPrefix(metric, arcp.MetricBudgetPrefix) {
		return nil, arcp.NewError(arcp.CodeInvalidRequest, "the metric %q does not name a cost", clip(metric))
	}
	refusal, err := t.gateOpen(ctx)
	if err != nil {
		return nil, err
	}
	h := &Hold{task: t, metric: metric}
	if refusal == nil {
		refusal, err = h.reserve(price)
	}
	if refusal != nil {
		if args, err := dynjson.Marshal(operation{Target: strings.Join(price.Entries(), ",")}); err == nil {
			t.deny(ctx, arcp.NamespaceCostBudget, args, refusal)
		}
		return nil, refusal
	}
	if err == nil {
		err = t.job.noteAbove(h.price)
	}
	for at := t.job; err == nil && at != nil && at.rt.lasting; at = at.kin.parent {
		err = at.log.Flush(ctx)
	}
	if err != nil {
		_ = h.Release(context.WithoutCancel(ctx))
		return nil, taskError(err)
	}
	return h, nil
}

// reserve asks the machine, and notes in the log what it has set aside.
func (h *Hold) reserve(price arcp.Budget) (refusal *arcp.Error, err error) {
	j, p := h.task.job, &h.task.job.grant.purse
	err = j.log.Update(journal.TypeBudget, func() []byte {
		p.tree.Lock()
		defer p.tree.Unlock()
		if h.hold, refusal = p.budget.Reserve(price); refusal != nil {
			refusal = p.told(refusal)
			return nil
		}
		limits := p.budget.Remaining()
		h.price = maps.Clone(price)
		maps.DeleteFunc(h.price, func(currency string, _ arcp.Amount) bool { _, limited := limits[currency]; return !limited })
		p.own.Held = p.own.Held.Add(h.price)
		return j.ledgerState()
	})
	return refusal, err
}

// Settle ends the hold with what the operation has cost, be it less than its price or more: a metric a currency reports it, and the budget is
// debited with it. What is negative is refused, and the hold kept. Settling again does nothing.
func (h *Hold) Settle(ctx context.Context, cost arcp.Budget) error {
	for _, currency := range cost.Currencies() {
		if cost[currency].Sign() < 0 {
			return arcp.NewError(arcp.CodeInvalidRequest, "a negative amount of %s is refused", clip(currency))
		}
	}
	if h.hold == nil || !h.over.CompareAndSwap(false, true) {
		return nil
	}
	j := h.task.job
	err := j.noteAbove(cost) // first, so that nothing is forgotten should a job above run again
	if err == nil {
		if err = h.settle(ctx, cost); err == nil {
			_ = j.noteAbove(arcp.Budget{}.Sub(h.price))
			return nil
		}
		_ = j.noteAbove(arcp.Budget{}.Sub(cost))
	}
	h.over.Store(false)
	return taskError(err)
}

// Release ends the hold of an operation that was not done and has cost nothing.
func (h *Hold) Release(ctx context.Context) error { return h.Settle(ctx, nil) }

func (h *Hold) settle(ctx context.Context, cost arcp.Budget) error {
	j, p := h.task.job, &h.task.job.grant.purse
	var reports []*arcp.JobEvent
	for _, currency := range cost.Currencies() {
		if !cost[currency].IsZero() {
			reports = append(reports, eventNow(&arcp.MetricBody{Name: h.metric, Value: arcp.Number(cost[currency].String()), Unit: currency}))
		}
	}
	spend := func() []*arcp.JobEvent {
		limits, debited := p.budget.Remaining(), maps.Clone(cost)
		maps.DeleteFunc(debited, func(currency string, _ arcp.Amount) bool { _, limited := limits[currency]; return !limited })
		_ = h.hold.Settle(debited) // which holds nothing negative
		p.own.Held = p.own.Held.Sub(h.price)
		maps.DeleteFunc(p.own.Held, func(_ string, a arcp.Amount) bool { return a.IsZero() })
		return p.debit(debited)
	}
	if len(reports) == 0 {
		return j.log.Update(journal.TypeBudget, func() []byte {
			p.tree.Lock()
			defer p.tree.Unlock()
			spend()
			return j.ledgerState()
		})
	}
	return j.emit(ctx, reports[0], func() journal.Outcome {
		p.tree.Lock()
		defer p.tree.Unlock()
		return j.outcome(append(reports[1:], spend()...))
	})
}
