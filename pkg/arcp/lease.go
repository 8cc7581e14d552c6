package arcp

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/arcpkit/arcp/internal/glob"
)

// Lease is what a job may do: capability namespaces, each with the patterns it is good for (§9). An absent namespace is
// denied. In cost.budget the entries are amounts, see ParseBudget; in every other namespace they are patterns, see
// Covers. A lease shared between goroutines is not changed.
type Lease map[string][]string

// Covers says whether the lease allows the operation on target: a path for fs.read and fs.write, a URL for net.fetch, a
// name for everything else. A target that is not canonical is not covered, nor is anything under cost.budget, where
// amounts are spent and nothing is matched (§9.3).
func (l Lease) Covers(capability, target string) bool {
	if !l.Has(capability) || !isNamespace(capability) || capability == NamespaceCostBudget {
		return false
	}
	t, err := glob.Parse(targetKind(capability), target)
	return err == nil && slices.ContainsFunc(compile(capability, l[capability]), func(p glob.Pattern) bool { return p.Match(t) })
}

// Has says whether the namespace is in the lease at all.
func (l Lease) Has(namespace string) bool {
	_, ok := l[namespace]
	return ok
}

// Budget returns the amounts of cost.budget, nil when the lease has no such namespace. An entry that Validate reports is an
// error.
func (l Lease) Budget() (Budget, error) {
	entries, ok := l[NamespaceCostBudget]
	if !ok {
		return nil, nil
	}
	budget := make(Budget, len(entries))
	if found := budget.read(entries, "/"+NamespaceCostBudget); found != nil {
		return nil, &ValidationError{Findings: found}
	}
	return budget, nil
}

// Clone returns a deep copy, of the texts too: those of a decoded lease alias the block its frame was read into, which a
// lease that is kept must not keep as well. Nil for nil.
func (l Lease) Clone() Lease {
	if l == nil {
		return nil
	}
	c := make(Lease, len(l))
	for ns, patterns := range l {
		own := slices.Clone(patterns)
		for i := range own {
			own[i] = strings.Clone(own[i])
		}
		c[strings.Clone(ns)] = own
	}
	return c
}

// Validate reports every namespace that is neither reserved (§9.2) nor a vendor's and every pattern or amount that does
// not parse, and a lease of too many entries, an empty namespace counted as one, as a *ValidationError with pointers into
// the lease.
func (l Lease) Validate() error {
	var found []Finding
	total := 0
	for _, ns := range slices.Sorted(maps.Keys(l)) {
		at := "/" + escapePointer(ns)
		if total += max(len(l[ns]), 1); !isNamespace(ns) {
			found = append(found, Finding{Pointer: at, Problem: "is not a known namespace"})
			continue
		}
		if total <= LimitPatterns {
			found = append(found, l.check(ns, at)...)
		}
	}
	if total > LimitPatterns {
		found = append(found, Finding{Problem: "has more than " + strconv.Itoa(LimitPatterns) + " entries"})
	}
	if found == nil {
		return nil
	}
	return &ValidationError{Findings: found}
}

// check looks at the entries of one namespace.
func (l Lease) check(ns, at string) (found []Finding) {
	if ns == NamespaceCostBudget {
		return Budget{}.read(l[ns], at)
	}
	for i, entry := range l[ns] {
		if _, err := glob.Compile(targetKind(ns), entry); err != nil {
			found = append(found, Finding{Pointer: at + "/" + strconv.Itoa(i), Problem: err.Error()})
		}
	}
	return found
}

func isNamespace(s string) bool { return slices.Contains(ReservedNamespaces(), s) || isVendorName(s) }

func targetKind(namespace string) glob.Kind {
	switch namespace {
	case NamespaceFSRead, NamespaceFSWrite:
		return glob.Path
	case NamespaceNetFetch:
		return glob.URL
	default:
		return glob.Name
	}
}

// isVendorName says whether s is x-vendor.<segment>.<segment>, with more segments or not.
func isVendorName(s string) bool {
	rest, ok := strings.CutPrefix(s, VendorPrefix)
	if !ok || !strings.Contains(rest, ".") || len(s) > LimitIDLength {
		return false
	}
	for seg := range strings.SplitSeq(rest, ".") {
		if !isWord(seg) {
			return false
		}
	}
	return true
}

// isCurrency says whether s is [A-Za-z][A-Za-z0-9_-]{0,31}.
func isCurrency(s string) bool {
	return len(s) <= 32 && isWord(s) && (s[0]|0x20) >= 'a' && (s[0]|0x20) <= 'z'
}

// isWord says whether s is one or more of A-Z a-z 0-9 _ -.
func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return s != ""
}
