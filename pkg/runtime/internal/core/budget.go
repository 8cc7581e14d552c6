package core

import (
	"maps"
	"slices"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Budget decides what a job and the jobs it delegates to may spend (§9.6): a counter for each currency granted. A currency
// that the job was not granted itself is spent from the nearest of its parents that was; one that none was granted is not
// limited, and not counted.
//
// What is spent is recorded, even beyond what was left; then nothing more is authorised. What is authorised is never more
// than what is left, so but for such overspending the sum over all jobs of a tree stays within what its root was granted.
//
// The caller serialises the steps of one tree.
type Budget struct {
	parent   *Budget
	counters map[string]*counter
	children []*Budget // that have not returned
	holds    map[*Hold]bool
	over     bool
}

// counter is the state of one currency of one job.
type counter struct {
	granted, spent arcp.Amount
	reserved       arcp.Amount // by holds, and for children
	up             *counter    // where the grant comes from; nil for a root
	// Invariant: held is what up has reserved for this one, the grant or, if that is more, what was spent and reserved.
	held arcp.Amount
}

// NewBudget returns the budget of a job without a parent. Spent is what earlier attempts have used; nil for none.
func NewBudget(granted, spent arcp.Budget) *Budget {
	b := &Budget{}
	if len(granted) > 0 { // most jobs have none
		b.counters = make(map[string]*counter, len(granted))
	}
	for currency, amount := range granted {
		b.counters[currency] = &counter{granted: amount, spent: spent[currency]}
	}
	return b
}

// Remaining returns what is left of each currency that limits the job; below 0 where it was overspent.
func (b *Budget) Remaining() arcp.Budget {
	left := make(arcp.Budget)
	for at := b; at != nil; at = at.parent {
		for currency, c := range at.counters {
			if _, nearer := left[currency]; !nearer {
				left[currency] = c.left()
			}
		}
	}
	return left
}

// Spent returns what the job and the children that have returned have spent of the currencies granted to itself.
func (b *Budget) Spent() arcp.Budget {
	spent := make(arcp.Budget, len(b.counters))
	for currency, c := range b.counters {
		spent[currency] = c.spent
	}
	return spent
}

// Check refuses an operation as BUDGET_EXHAUSTED when nothing is left of some currency.
func (b *Budget) Check() *arcp.Error {
	if currency, ok := b.Remaining().Exhausted(); ok || b.over {
		return exhausted(currency)
	}
	return nil
}

// Debit records what was spent, whatever is left. It says whether a counter has it; a negative amount is refused.
func (b *Budget) Debit(currency string, amount arcp.Amount) (counted bool, refuse *arcp.Error) {
	if refuse := negative(currency, amount); refuse != nil {
		return false, refuse
	}
	c := b.find(currency)
	if c == nil || b.over {
		return false, nil
	}
	c.spent = c.spent.Add(amount)
	c.balance()
	return true, nil
}

// Hold is an amount set aside for an operation whose price is known, until it is settled.
type Hold struct {
	budget *Budget
	price  arcp.Budget
}

// Reserve sets the price of an operation aside, or refuses it as BUDGET_EXHAUSTED. Currencies that do not limit the job cost
// nothing.
func (b *Budget) Reserve(price arcp.Budget) (*Hold, *arcp.Error) {
	if refuse := b.Check(); refuse != nil {
		return nil, refuse
	}
	left := b.Remaining()
	for _, currency := range price.Currencies() {
		if refuse := negative(currency, price[currency]); refuse != nil {
			return nil, refuse
		}
		if has, limited := left[currency]; limited && has.Cmp(price[currency]) < 0 {
			return nil, exhausted(currency)
		}
	}
	h := &Hold{budget: b, price: maps.Clone(price)}
	h.move(h.price)
	if b.holds == nil {
		b.holds = make(map[*Hold]bool)
	}
	b.holds[h] = true
	return h, nil
}

// Settle ends a hold: what the operation has cost is debited, be it less than the hold or more, and the hold is released.
// One that did not happen costs nil. What is negative is refused, and the hold kept. A hold that is settled is left alone.
func (h *Hold) Settle(cost arcp.Budget) *arcp.Error {
	for _, currency := range cost.Currencies() {
		if refuse := negative(currency, cost[currency]); refuse != nil {
			return refuse
		}
	}
	if !h.budget.holds[h] {
		return nil
	}
	delete(h.budget.holds, h)
	h.move(arcp.Budget{}.Sub(h.price))
	for _, currency := range cost.Currencies() {
		if c := h.budget.find(currency); c != nil {
			c.spent = c.spent.Add(cost[currency])
			c.balance()
		}
	}
	return nil
}

// move adds amounts, negative ones too, to what is reserved.
func (h *Hold) move(amounts arcp.Budget) {
	for currency, amount := range amounts {
		if c := h.budget.find(currency); c != nil {
			c.reserved = c.reserved.Add(amount)
			c.balance()
		}
	}
}

// Delegate returns the budget of a child to which the job grants what asked names, and sets that aside. More than is left,
// or of a currency that does not limit the job, is a LEASE_SUBSET_VIOLATION (§9.4). Currencies that asked leaves out are
// spent by the child as by the job itself.
func (b *Budget) Delegate(asked arcp.Budget) (*Budget, *arcp.Error) {
	if refuse := b.Check(); refuse != nil {
		return nil, refuse
	}
	left := b.Remaining()
	for _, currency := range asked.Currencies() {
		if refuse := negative(currency, asked[currency]); refuse != nil {
			return nil, refuse
		}
		if has, limited := left[currency]; !limited || has.Cmp(asked[currency]) < 0 {
			return nil, arcp.NewError(arcp.CodeLeaseSubsetViolation, "the budget asked for in %s is beyond the delegating job's", currency)
		}
	}
	child := NewBudget(asked, nil)
	child.parent = b
	for currency, c := range child.counters {
		c.up = b.find(currency)
		c.balance()
	}
	b.children = append(b.children, child)
	return child, nil
}

// Return ends a child's budget, and its children's before: what it has not spent goes back to where it came from. Holds that
// nobody settled count as spent, for their operations may have happened. The budget of a root ends the same.
func (b *Budget) Return() {
	if b.over {
		return
	}
	for len(b.children) > 0 {
		b.children[0].Return()
	}
	for h := range b.holds {
		_ = h.Settle(h.price) // which was not negative when it was set aside
	}
	b.over = true
	for _, c := range b.counters {
		if c.up != nil {
			c.up.reserved = c.up.reserved.Sub(c.held)
			c.up.spent = c.up.spent.Add(c.spent)
			c.up.balance()
		}
	}
	if b.parent != nil {
		b.parent.children = slices.DeleteFunc(b.parent.children, func(child *Budget) bool { return child == b })
	}
}

// find returns the counter that a currency is spent from; nil for none.
func (b *Budget) find(currency string) *counter {
	for ; b != nil; b = b.parent {
		if c := b.counters[currency]; c != nil {
			return c
		}
	}
	return nil
}

func (c *counter) left() arcp.Amount { return c.granted.Sub(c.spent).Sub(c.reserved) }

// balance holds up to the invariant of held, and with it those above.
func (c *counter) balance() {
	for ; c.up != nil; c = c.up {
		due := c.spent.Add(c.reserved)
		if due.Cmp(c.granted) < 0 {
			due = c.granted
		}
		c.up.reserved = c.up.reserved.Add(due.Sub(c.held))
		c.held = due
	}
}

func exhausted(currency string) *arcp.Error {
	if currency == "" {
		return arcp.NewError(arcp.CodeBudgetExhausted, "the budget has ended")
	}
	return arcp.NewError(arcp.CodeBudgetExhausted, "the budget in %s is exhausted", currency)
}

func negative(currency string, amount arcp.Amount) *arcp.Error {
	if amount.Sign() >= 0 {
		return nil
	}
	return arcp.NewError(arcp.CodeInvalidRequest, "a negative amount of %s is refused", currency)
}
