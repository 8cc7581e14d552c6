package arcp

import (
	"maps"
	"slices"
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
	patterns, granted := l[capability]
	if !granted || capability == NamespaceCostBudget {
		return false
	}
	t, err := glob.Parse(targetKind(capability), target)
	return err == nil && slices.ContainsFunc(patterns, t.Match)
}

// Has says whether the namespace is in the lease at all.
func (l Lease) Has(namespace string) bool {
	_, ok := l[namespace]
	return ok
}

// Budget returns the amounts of cost.budget by currency, nil when the lease names none. Errors are those of Validate.
func (l Lease) Budget() (map[string]Amount, error) {
	entries, ok := l[NamespaceCostBudget]
	if !ok {
		return nil, nil
	}
	budget := make(map[string]Amount, len(entries))
	for i, entry := range entries {
		currency, amount, err := ParseBudget(entry)
		if err != nil {
			return nil, NewError(CodeInvalidRequest, "%s[%d] %w", NamespaceCostBudget, i, err)
		}
		if _, twice := budget[currency]; twice {
			return nil, NewError(CodeInvalidRequest, "%s[%d] names a currency again", NamespaceCostBudget, i)
		}
		budget[currency] = amount
	}
	return budget, nil
}

// Clone returns a deep copy; nil for nil.
func (l Lease) Clone() Lease {
	c := maps.Clone(l)
	for ns, patterns := range c {
		c[ns] = slices.Clone(patterns)
	}
	return c
}

// Validate says what is wrong with the lease as INVALID_REQUEST, or nil: a namespace that is neither reserved (§9.2) nor
// a vendor's, a pattern or an amount that does not parse, too many entries. The error names the first finding in the
// order of the namespaces.
func (l Lease) Validate() error {
	total := 0
	for _, ns := range slices.Sorted(maps.Keys(l)) {
		if !slices.Contains(ReservedNamespaces(), ns) && !isVendorName(ns) {
			return NewError(CodeInvalidRequest, "lease namespace %.64q is not known", ns)
		}
		if total += len(l[ns]); total > LimitPatterns {
			return NewError(CodeInvalidRequest, "lease has more than %d entries", LimitPatterns)
		}
		if ns == NamespaceCostBudget {
			continue
		}
		for i, pattern := range l[ns] {
			if err := glob.Check(targetKind(ns), pattern); err != nil {
				return NewError(CodeInvalidRequest, "lease pattern %s[%d] %w", ns, i, err)
			}
		}
	}
	_, err := l.Budget()
	return err
}

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
