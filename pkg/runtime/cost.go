package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// costOf returns what an event debits: a metric of a cost in a currency that limits the job. One in another currency debits nothing, and is
// counted and logged. What is no amount to be spent is refused (§9.6).
func (j *job) costOf(ev *arcp.JobEvent) (arcp.Budget, *arcp.Error) {
	m, ok := ev.Body.(*arcp.MetricBody)
	if !ok || !strings.HasPrefix(m.Name, arcp.MetricCostPrefix) || strings.HasPrefix(m.Name, arcp.MetricBudgetPrefix) {
		return nil, nil
	}
	limits := j.grant.purse.remaining()
	if limits == nil {
		return nil, nil
	}
	amount, err := arcp.ParseAmount(string(m.Value))
	if err == nil && amount.Sign() < 0 {
		return nil, arcp.NewError(arcp.CodeInvalidRequest, "the metric %q: a negative cost is refused", clip(m.Name))
	}
	if err != nil {
		return nil, arcp.NewError(arcp.CodeInvalidRequest, "the metric %q: its value %v", clip(m.Name), err)
	}
	if _, limited := limits[m.Unit]; !limited {
		j.rt.count.foreign.Add(1)
		j.rt.opts.Logger.Warn("cost in a currency without a budget", "job", j.id, "agent", j.agent, "metric", clip(m.Name), "unit", clip(m.Unit))
		return nil, nil
	}
	return arcp.Budget{strings.Clone(m.Unit): amount}, nil
}

// spend emits an event, and debits what it costs: the debit has its place in the log with the event, or neither has, but that a log which
// takes no event any more takes the debit. Nil costs nothing and says nothing of the budget.
func (j *job) spend(ctx context.Context, ev *arcp.JobEvent, cost arcp.Budget) error {
	if cost == nil {
		return j.emit(ctx, ev, nil)
	}
	if err := j.noteAbove(cost); err != nil {
		return err
	}
	debit := func() journal.Outcome {
		p := &j.grant.purse
		p.tree.Lock()
		defer p.tree.Unlock()
		for currency, amount := range cost {
			_, _ = p.budget.Debit(currency, amount) // costOf has refused what it would
		}
		return j.outcome(p.debit(cost))
	}
	err := j.emit(ctx, ev, debit)
	if isFull(err) && j.log.Update(journal.TypeBudget, func() []byte { return debit().State }) == nil {
		return err // for good, and the money is gone: a job that can tell of no cost must not spend for nothing
	}
	if err != nil {
		_ = j.noteAbove(arcp.Budget{}.Sub(cost))
	}
	return err
}

// isFull says that an event is refused for good, for the log has as many as it may.
func isFull(err error) bool {
	var refusal *arcp.Error
	return errors.As(err, &refusal) && refusal.Code == arcp.CodeBackpressure && !refusal.Retryable
}

// noteAbove adds what the job spends to what the logs of the jobs above say was spent, before its own says so: should one of them run
// again, nothing of it is forgotten.
func (j *job) noteAbove(cost arcp.Budget) error {
	if len(cost) == 0 {
		return nil
	}
	for at := j.kin.parent; at != nil; at = at.kin.parent {
		err := at.log.Update(journal.TypeBudget, func() []byte {
			p := &at.grant.purse
			p.tree.Lock()
			defer p.tree.Unlock()
			p.own.Spent = p.own.Spent.Add(cost)
			if !at.rt.lasting {
				return nil
			}
			return p.state()
		})
		if err != nil && !errors.Is(err, journal.ErrOver) {
			return err
		}
	}
	return nil
}

// outcome is what a debit leaves in the log. The caller holds the lock of the purse.
func (j *job) outcome(more []*arcp.JobEvent) journal.Outcome {
	out := journal.Outcome{More: more}
	if j.rt.lasting {
		out.State = j.ledgerState()
		if len(more) > 0 {
			out.Row = j.rowWith(arcp.StatusRunning, j.grant.purse.budget.Remaining())
		}
	}
	return out
}

// ledgerState is the ledger as the log keeps it; nil where nobody will ever read it there. The caller holds the lock of the purse.
func (j *job) ledgerState() []byte {
	if !j.rt.lasting {
		return nil
	}
	return j.grant.purse.state()
}

// respend brings the budget to where the log of a job that was taken over says it is.
func (j *job) respend() error {
	state := j.log.State(journal.TypeBudget)
	if state == nil {
		return nil
	}
	spent, err := spentBy(state)
	if err != nil {
		return fmt.Errorf("%w: budget of job %s: %w", journal.ErrDamaged, j.id, err)
	}
	j.grant.purse.reopen(j.grant.budget, spent)
	return nil
}

// budgetLeft returns what is left of the job's budget, wherever it runs; nil when nothing limits it.
func (j *job) budgetLeft() arcp.Budget {
	if state := j.log.State(journal.TypeBudget); state != nil && j.remote.Load() {
		if spent, err := spentBy(state); err == nil && len(j.grant.budget) > 0 {
			return j.grant.budget.Sub(spent)
		}
	}
	return j.grant.purse.remaining()
}
