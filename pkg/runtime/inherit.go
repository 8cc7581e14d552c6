package runtime

import (
	"errors"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
)

// delegate makes the grant of a child, which is within this one whatever the delegation names and leaves out (§9.4, §10): what it names
// beyond this one is refused, ceilings it leaves out are this one's. What it names of the budget is set aside until the child's
// purse is closed.
func (g *grant) delegate(d *Delegation, wall time.Time, mono time.Duration) (*grant, *arcp.Error) {
	lease, err := g.lease.Narrow(d.Lease)
	if err != nil {
		var beyond *arcp.Error
		if errors.As(err, &beyond) {
			return nil, beyond
		}
		return nil, arcp.NewError(arcp.CodeInvalidRequest, "the lease: %v", err)
	}
	asked := d.Constraints
	if asked == nil {
		asked = &arcp.LeaseConstraints{}
	}
	child := &grant{lease: lease}
	refusal := child.expireWithin(g, asked.ExpiresAt, wall, mono)
	if refusal == nil {
		refusal = child.spendWithin(g, d.Lease, asked.MaxBudget)
	}
	if refusal != nil {
		return nil, refusal
	}
	if !child.expiry.Time().IsZero() || len(asked.MaxBudget) > 0 {
		child.constraints = cloneConstraints(&arcp.LeaseConstraints{ExpiresAt: child.expiry.Time(), MaxBudget: asked.MaxBudget})
	}
	return child, nil
}

// expireWithin ends a child's grant at a time that is not after the end of its parent's; zero is with that.
func (g *grant) expireWithin(parent *grant, at, wall time.Time, mono time.Duration) *arcp.Error {
	end := parent.expiry.Time()
	switch {
	case at.IsZero():
		g.expiry = parent.expiry
		return nil
	case !at.After(wall):
		return arcp.NewError(arcp.CodeInvalidRequest, "the child's expires_at is not in the future")
	case !end.IsZero() && at.After(end):
		return arcp.NewError(arcp.CodeLeaseSubsetViolation, "the child's expires_at is beyond the delegating job's")
	}
	g.expiry = core.ExpiryAt(at, wall, wall, mono).Within(parent.expiry)
	return nil
}

// spendWithin gives a child what its lease names of a budget, and no more than the ceilings, out of what its parent has left. A ceiling for
// a currency that the lease leaves out makes it one of its own.
func (g *grant) spendWithin(parent *grant, lease arcp.Lease, maxBudget []string) *arcp.Error {
	named, err := lease.Budget()
	if err != nil {
		return arcp.NewError(arcp.CodeInvalidRequest, "the lease: %v", err)
	}
	ceilings, err := arcp.ParseBudgets(maxBudget)
	if err != nil {
		return arcp.NewError(arcp.CodeInvalidRequest, "the child's max_budget: %v", err)
	}
	p := &parent.purse
	p.tree.Lock()
	defer p.tree.Unlock()
	asked := named.Cap(ceilings)
	for currency, left := range p.budget.Remaining() {
		_, isNamed := named[currency]
		if ceiling, ok := ceilings[currency]; ok && !isNamed && left.Cmp(ceiling) < 0 {
			asked[currency] = left
		}
	}
	budget, refusal := p.budget.Delegate(asked)
	if refusal != nil {
		return p.told(refusal)
	}
	g.purse.tree = p.tree
	g.purse.open(budget)
	if g.budget = budget.Remaining(); len(g.budget) == 0 {
		g.budget = nil
		return nil
	}
	g.lease[arcp.NamespaceCostBudget] = g.budget.Entries()
	return nil
}
