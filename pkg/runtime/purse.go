package runtime

import (
	"maps"
	"sync"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
)

// purse is the budget of one job (§9.6). The lock is that of all jobs of a tree, and is taken inside of the lock of a log.
type purse struct {
	tree   *sync.Mutex
	budget *core.Budget
	own    ledger
	said   arcp.Budget // what was left when that was said last
	step   arcp.Budget // the change that is worth saying
}

// ledger is what the job itself has spent and set aside, as its log keeps it.
type ledger struct {
	Spent arcp.Budget `json:"spent,omitempty"`
	Held  arcp.Budget `json:"held,omitempty"`
}

// material is the part of a budget whose change is said: a hundredth.
const material = 2 // decimal places

func (p *purse) open(b *core.Budget) {
	if p.tree == nil {
		p.tree = new(sync.Mutex)
	}
	p.budget, p.said, p.step = b, b.Remaining(), arcp.Budget{}
	for currency, amount := range p.said {
		p.step[currency] = amount.Shift(material)
	}
}

// reopen starts again from what the log says was spent.
func (p *purse) reopen(granted, spent arcp.Budget) {
	p.tree.Lock()
	defer p.tree.Unlock()
	p.own = ledger{Spent: spent}
	p.open(core.NewBudget(granted, spent))
}

// check refuses an operation when nothing is left of some currency.
func (p *purse) check() *arcp.Error {
	p.tree.Lock()
	defer p.tree.Unlock()
	return p.told(p.budget.Check())
}

// told adds what is left to a refusal. The caller holds the lock.
func (p *purse) told(refusal *arcp.Error) *arcp.Error {
	if refusal == nil || refusal.Code != arcp.CodeBudgetExhausted {
		return refusal
	}
	return withDetail(refusal, arcp.DetailRemaining, p.budget.Remaining())
}

// remaining returns what is left of each currency that limits the job; nil when none does.
func (p *purse) remaining() arcp.Budget {
	p.tree.Lock()
	defer p.tree.Unlock()
	if left := p.budget.Remaining(); len(left) > 0 {
		return left
	}
	return nil
}

// spent returns what the job itself has spent; what it has set aside counts, for that may have been used.
func (p *purse) spent() arcp.Budget {
	p.tree.Lock()
	defer p.tree.Unlock()
	return p.own.total()
}

func (l *ledger) total() arcp.Budget {
	if len(l.Spent)+len(l.Held) == 0 {
		return nil
	}
	return l.Spent.Add(l.Held)
}

// debit records what was spent and returns the events that tell what is left, where that changed by much or passed zero since it was said
// last, be it by what children were given, spent or left. The caller holds the lock.
func (p *purse) debit(cost arcp.Budget) (more []*arcp.JobEvent) {
	p.own.Spent = p.own.Spent.Add(cost)
	left := p.budget.Remaining()
	for _, currency := range left.Currencies() {
		now, said := left[currency], p.said[currency]
		passed := (said.Sign() > 0) != (now.Sign() > 0)
		change := said.Sub(now)
		if change.Sign() < 0 {
			change = now.Sub(said)
		}
		if passed || change.Sign() > 0 && change.Cmp(p.step[currency]) >= 0 {
			p.said[currency] = now
			more = append(more, eventNow(&arcp.MetricBody{
				Name: arcp.MetricBudgetRemaining, Value: arcp.Number(now.String()), Unit: currency,
			}))
		}
	}
	return more
}

// end takes back what is left. It happens once the job has ended.
func (p *purse) end() {
	p.tree.Lock()
	defer p.tree.Unlock()
	p.budget.Return()
	p.own = ledger{Spent: p.own.total()}
}

// state is the ledger as the log keeps it. The caller holds the lock.
func (p *purse) state() []byte {
	text, err := dynjson.Marshal(&p.own)
	if err != nil {
		panic("runtime: a ledger cannot be encoded: " + err.Error()) // amounts and currencies always can
	}
	return text
}

// spentBy is what the state of a log says was spent, or may have been.
func spentBy(state []byte) (arcp.Budget, error) {
	var l ledger
	if err := dynjson.Unmarshal(state, &l); err != nil {
		return nil, err
	}
	return maps.Clone(l.total()), nil
}

func eventNow(body arcp.EventBody) *arcp.JobEvent {
	return &arcp.JobEvent{Kind: body.EventKind(), TS: time.Now(), Body: body}
}
