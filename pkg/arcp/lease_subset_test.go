package arcp

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var delegating = Lease{
	NamespaceFSRead:       {"/w/**", "/x/*"},
	NamespaceFSWrite:      {},
	NamespaceNetFetch:     {"https://*.example.com/v1/**"},
	NamespaceToolCall:     {"search.*"},
	NamespaceCostBudget:   {"USD:5.00", "EUR:1"},
	NamespaceModelUse:     {"fast/*"},
	"x-vendor.acme.queue": {"jobs/**"},
}

// What a child may ask for, and the pointers of what it may not. guards E1, E9, T18
func TestLeaseContains(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		child  Lease
		beyond []string // pointers of what is refused
	}{
		{nil, nil},
		{Lease{}, nil},
		{delegating, nil},
		{Lease{NamespaceFSRead: {"/w/a", "/w/**/b*", "/x/y"}, NamespaceModelUse: {"fast/small"}}, nil},
		{Lease{NamespaceCostBudget: {"USD:5"}}, nil},
		{Lease{NamespaceCostBudget: {"USD:5.000000000000000000000000000000001"}}, []string{"/cost.budget/0"}},
		{Lease{NamespaceCostBudget: {"EUR:1", "JPY:1"}}, []string{"/cost.budget/1"}},
		{Lease{NamespaceFSRead: {"/w/a", "/x/**", "/w-private"}}, []string{"/fs.read/1", "/fs.read/2"}},
		{Lease{NamespaceFSWrite: {"/w/a"}}, []string{"/fs.write/0"}},
		{Lease{NamespaceFSWrite: {}}, nil},
		{Lease{NamespaceAgentDelegate: {}}, []string{"/agent.delegate"}},
		{Lease{NamespaceNetFetch: {"https://**.example.com/v1/x"}}, []string{"/net.fetch/0"}},
		{Lease{NamespaceToolCall: {"**"}, NamespaceModelUse: {"*"}}, []string{"/model.use/0", "/tool.call/0"}},
		{Lease{"x-vendor.acme.queue": {"jobs/1/*"}, "x-vendor.acme.topic": {"a"}}, []string{"/x-vendor.acme.topic"}},
	} {
		err := delegating.Contains(c.child)
		if got := pointers(err); !slices.Equal(got, c.beyond) || err != nil && !errors.Is(err, CodeLeaseSubsetViolation) {
			t.Errorf("Contains(%v) = %v, want LEASE_SUBSET_VIOLATION of %q", c.child, err, c.beyond)
		}
		for _, granted := range []string{`"/x/*"`, "search.*", "fast/*", `"USD:5.00"`, "example.com/v1/**"} {
			if err != nil && strings.Contains(err.Error(), granted) {
				t.Errorf("Contains(%v) = %v, which tells what would pass", c.child, err)
			}
		}
	}
}

// pointers are the words of an error that begin with a slash and are not quoted.
func pointers(err error) (found []string) {
	if err == nil {
		return nil
	}
	for word := range strings.FieldsFuncSeq(err.Error(), func(r rune) bool { return r == ' ' || r == ',' }) {
		if word[0] == '/' {
			found = append(found, word)
		}
	}
	return found
}

// Every namespace and currency is left out once: a ceiling is inherited, everything else is denied. guards F1
func TestLeaseNarrowOmission(t *testing.T) {
	t.Parallel()
	for ns := range delegating {
		asked := delegating.Clone()
		delete(asked, ns)
		child, err := delegating.Narrow(asked)
		if err != nil {
			t.Fatal(err)
		}
		inherited := ns == NamespaceCostBudget || ns == NamespaceModelUse
		if child.Has(ns) != inherited || inherited && !slices.Equal(child[ns], delegating[ns]) {
			t.Errorf("without %s the child gets %v", ns, child[ns])
		}
		if err := delegating.Contains(child); err != nil {
			t.Errorf("the child's lease is not within its parent's: %v", err)
		}
	}
	child, err := delegating.Narrow(Lease{NamespaceCostBudget: {"EUR:0.5"}})
	if err != nil || !slices.Equal(child[NamespaceCostBudget], []string{"EUR:0.5", "USD:5.00"}) {
		t.Errorf("a child that names EUR only has the budget %v, %v", child[NamespaceCostBudget], err)
	}
	if child, err := delegating.Narrow(Lease{NamespaceModelUse: {"fast/small"}}); err != nil || !slices.Equal(child[NamespaceModelUse], []string{"fast/small"}) {
		t.Errorf("a child that names one model has %v, %v", child[NamespaceModelUse], err)
	}
	if child, err := (Lease{}).Narrow(nil); child == nil || len(child) != 0 || err != nil {
		t.Errorf("nothing within nothing is %v, %v, want a lease that is empty", child, err)
	}
	if child, err := delegating.Narrow(Lease{NamespaceFSRead: {"/etc"}}); child != nil || !errors.Is(err, CodeLeaseSubsetViolation) {
		t.Errorf("Narrow of too much = %v, %v", child, err)
	}
}

func TestLeaseNarrowOwnsItsMemory(t *testing.T) {
	t.Parallel()
	parent, asked := delegating.Clone(), Lease{NamespaceFSRead: {"/w/a"}}
	child, err := parent.Narrow(asked)
	if err != nil {
		t.Fatal(err)
	}
	parent[NamespaceModelUse][0], asked[NamespaceFSRead][0] = "**", "/**"
	if child[NamespaceModelUse][0] != "fast/*" || child[NamespaceFSRead][0] != "/w/a" {
		t.Error("the child's lease changes with its parent's or with what was asked")
	}
}

// A child that is no lease is malformed, and not too much: patterns with dots do not even compare. guards E3
func TestLeaseContainsInvalid(t *testing.T) {
	t.Parallel()
	for _, child := range []Lease{
		{NamespaceFSRead: {"/w/../etc"}},
		{NamespaceFSRead: {"/w/a?"}},
		{NamespaceCostBudget: {"USD:NaN"}},
		{NamespaceCostBudget: {"USD:1", "USD:1"}},
		{"fs.delete": {"/w"}},
	} {
		if err := delegating.Contains(child); !errors.Is(err, CodeInvalidRequest) {
			t.Errorf("Contains(%v) = %v, want INVALID_REQUEST", child, err)
		}
	}
	broken := Lease{NamespaceFSRead: {"/a/../**", "/b"}, NamespaceCostBudget: {"USD:1", "USD:2"}}
	if err := broken.Contains(Lease{NamespaceFSRead: {"/a/b"}, NamespaceCostBudget: {"USD:1"}}); len(pointers(err)) != 2 {
		t.Errorf("a lease with entries that do not parse contains %v", err)
	}
}

// The whole comparison is bounded, however many patterns stand against however many; what is left over is refused. guards E6
func TestLeaseContainsBombs(t *testing.T) {
	t.Parallel()
	parent, child := Lease{}, Lease{}
	for range LimitPatterns {
		parent[NamespaceFSRead] = append(parent[NamespaceFSRead], strings.Repeat("**/*a*/", 30)+"b")
		child[NamespaceFSRead] = append(child[NamespaceFSRead], strings.Repeat("**/*a*b*/", 30)+"*")
	}
	err := parent.Contains(child)
	if !errors.Is(err, CodeLeaseSubsetViolation) || len(err.Error()) > 200*shownFindings {
		t.Errorf("Contains of a bomb = %.300v, want a short LEASE_SUBSET_VIOLATION", err)
	}
}
