package runtime

import (
	"slices"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
)

// grant is what one job holds. It is made once, at the job's acceptance, and is the only thing that is asked whether the job may do
// something. But for what purse guards, nothing of it changes.
type grant struct {
	lease       arcp.Lease             // never nil
	constraints *arcp.LeaseConstraints // nil for none
	budget      arcp.Budget            // what it was given of each currency; nil for none
	expiry      core.Expiry
	purse       purse
}

// newGrant makes the grant of a job that a client submits: what it asks for, within its own ceilings (§9.5, §9.6).
func newGrant(p *arcp.JobSubmit, wall time.Time, mono time.Duration) (*grant, *arcp.Error) {
	g := &grant{lease: leaseOf(p.LeaseRequest), constraints: cloneConstraints(p.LeaseConstraints)}
	var err error
	if g.budget, err = g.lease.Budget(); err != nil {
		return nil, arcp.NewError(arcp.CodeInvalidRequest, "/payload/lease_request: %v", err)
	}
	if lc := g.constraints; lc != nil {
		if !lc.ExpiresAt.IsZero() && !lc.ExpiresAt.After(wall) {
			return nil, arcp.NewError(arcp.CodeInvalidRequest, "/payload/lease_constraints/expires_at: is not in the future")
		}
		ceilings, err := arcp.ParseBudgets(lc.MaxBudget)
		if err != nil {
			return nil, arcp.NewError(arcp.CodeInvalidRequest, "/payload/lease_constraints/max_budget: %v", err)
		}
		if len(ceilings) > 0 {
			g.budget = g.budget.Cap(ceilings)
			g.lease[arcp.NamespaceCostBudget] = g.budget.Entries()
		}
		g.expiry = core.ExpiryAt(lc.ExpiresAt, wall, wall, mono)
	}
	g.purse.open(core.NewBudget(g.budget, nil))
	return g, nil
}

// grantAgain is the grant of a job that was accepted before, by this runtime or by another one, as its accepted message tells of it.
func grantAgain(a *arcp.JobAccepted, spent arcp.Budget, wall time.Time, mono time.Duration) *grant {
	g := &grant{lease: leaseOf(a.Lease), constraints: cloneConstraints(a.LeaseConstraints)}
	g.budget, _ = g.lease.Budget() // which was good when it was accepted
	if g.constraints != nil {
		g.expiry = core.ExpiryAt(g.constraints.ExpiresAt, a.AcceptedAt, wall, mono)
	}
	g.purse.own.Spent = spent
	g.purse.open(core.NewBudget(g.budget, spent))
	return g
}

// leaseOf is the lease granted: what was asked for, never nil.
func leaseOf(asked arcp.Lease) arcp.Lease {
	if asked == nil {
		return arcp.Lease{}
	}
	return asked.Clone()
}

// cloneConstraints copies the texts, too: those of a frame share memory with their neighbours.
func cloneConstraints(lc *arcp.LeaseConstraints) *arcp.LeaseConstraints {
	if lc == nil {
		return nil
	}
	own := *lc
	own.MaxBudget = slices.Clone(lc.MaxBudget)
	for i := range own.MaxBudget {
		own.MaxBudget[i] = strings.Clone(own.MaxBudget[i])
	}
	return &own
}

// refuse is the gate (§9.3): the lease must not have ended, something must be left of every budget, and a pattern must cover the target. What
// is refused is named, and never what would pass.
func (g *grant) refuse(capability, target string, wall time.Time, mono time.Duration) *arcp.Error {
	if refusal := g.spent(wall, mono); refusal != nil {
		return refusal
	}
	if !g.lease.Covers(capability, target) {
		return arcp.NewError(arcp.CodePermissionDenied, "the lease does not allow %s on %q", capability, clip(target))
	}
	return nil
}

// spent refuses every operation: the lease has ended, or nothing is left of some budget.
func (g *grant) spent(wall time.Time, mono time.Duration) *arcp.Error {
	if g.expiry.Over(wall, mono) {
		return arcp.NewError(arcp.CodeLeaseExpired, "the lease has expired")
	}
	return g.purse.check()
}
