package arcp

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/arcpkit/arcp/internal/glob"
)

// subsetEffort bounds the comparison of one lease with another, in steps of a proof; what is not proved by then is refused.
const subsetEffort = 1 << 21

// shownFindings is how many refused entries an error lists.
const shownFindings = 8

// Contains says whether all that child allows is allowed by l too (§9.4, read as ⊆): nil if so. It is proved of all targets
// that patterns can match, and what cannot be proved is refused. A namespace or currency that l does not name is beyond it.
//
// The error has the code LEASE_SUBSET_VIOLATION and lists entries of child by their JSON Pointers in it, never what would
// pass; a child that is no valid lease gives the *ValidationError of Validate.
func (l Lease) Contains(child Lease) error {
	if err := child.Validate(); err != nil {
		return err
	}
	left := glob.Effort(subsetEffort)
	var beyond []string
	for _, ns := range slices.Sorted(maps.Keys(child)) {
		at := "/" + escapePointer(ns)
		switch outside := l.outside(ns, child[ns], &left); {
		case !l.Has(ns):
			beyond = append(beyond, at)
		default:
			for _, i := range outside {
				beyond = append(beyond, fmt.Sprintf("%s/%d %.80q", at, i, child[ns][i]))
			}
		}
	}
	if beyond == nil {
		return nil
	}
	if more := len(beyond) - shownFindings; more > 0 {
		beyond = append(beyond[:shownFindings], strconv.Itoa(more)+" more")
	}
	return NewError(CodeLeaseSubsetViolation, "beyond the delegating lease: %s", strings.Join(beyond, ", "))
}

// Narrow returns the lease of a child that asks for asked: all of it, or the error of Contains. What asked leaves out is
// denied to the child, but a ceiling left out is inherited, or leaving it out would lift it: model.use, and each currency
// of cost.budget, which then is spent from the parent's counter. The result shares no memory with either.
func (l Lease) Narrow(asked Lease) (Lease, error) {
	if err := l.Contains(asked); err != nil {
		return nil, err
	}
	child := asked.Clone()
	if child == nil {
		child = Lease{}
	}
	if models, ok := l[NamespaceModelUse]; ok && !child.Has(NamespaceModelUse) {
		child[NamespaceModelUse] = slices.Clone(models)
	}
	if entries, ok := l[NamespaceCostBudget]; ok {
		named := currencies(child[NamespaceCostBudget])
		for _, entry := range entries {
			if currency, _, _ := strings.Cut(entry, ":"); !named[currency] {
				child[NamespaceCostBudget] = append(child[NamespaceCostBudget], entry)
			}
		}
	}
	return child, nil
}

func currencies(entries []string) map[string]bool {
	named := make(map[string]bool, len(entries))
	for _, entry := range entries {
		currency, _, _ := strings.Cut(entry, ":")
		named[currency] = true
	}
	return named
}

// outside returns the indexes of those entries of a namespace that l does not contain.
func (l Lease) outside(ns string, entries []string, left *glob.Effort) (found []int) {
	if ns == NamespaceCostBudget {
		return l.outsideBudget(entries)
	}
	parents := glob.Join(targetKind(ns), compile(ns, l[ns]))
	for i, entry := range entries {
		child, err := glob.Compile(targetKind(ns), entry)
		if err != nil || !parents.Includes(child, left) {
			found = append(found, i)
		}
	}
	return found
}

func (l Lease) outsideBudget(entries []string) (found []int) {
	granted, err := l.Budget()
	for i, entry := range entries {
		currency, asked, parseErr := ParseBudget(entry)
		limit, named := granted[currency]
		if err != nil || parseErr != nil || !named || asked.Cmp(limit) > 0 {
			found = append(found, i)
		}
	}
	return found
}

// compile returns the patterns of a namespace that are good; one that is not grants nothing.
func compile(ns string, entries []string) []glob.Pattern {
	patterns := make([]glob.Pattern, 0, len(entries))
	for _, entry := range entries {
		if p, err := glob.Compile(targetKind(ns), entry); err == nil {
			patterns = append(patterns, p)
		}
	}
	return patterns
}
