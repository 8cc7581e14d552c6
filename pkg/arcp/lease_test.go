package arcp

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestLeaseCovers(t *testing.T) {
	t.Parallel()
	l := Lease{
		NamespaceFSRead:       {"/w/**"},
		NamespaceNetFetch:     {"https://*.example.com/**"},
		NamespaceToolCall:     {"search.*", "fetch"},
		NamespaceCostBudget:   {"USD:5"},
		NamespaceModelUse:     {"acme/*"},
		NamespaceFSWrite:      {},
		"x-vendor.acme.queue": {"jobs/**"},
	}
	for _, c := range []struct {
		capability, target string
		want               bool
	}{
		{NamespaceFSRead, "/w/a", true},
		{NamespaceFSRead, "/w/../etc", false},
		{NamespaceFSRead, "/w-private", false},
		{NamespaceFSWrite, "/w/a", false},
		{NamespaceNetFetch, "https://a.example.com/x", true},
		{NamespaceNetFetch, "https://evil.com/#.example.com/", false},
		{NamespaceToolCall, "search.web", true},
		{NamespaceToolCall, "fetch", true},
		{NamespaceToolCall, "rm", false},
		{NamespaceAgentDelegate, "anyone", false}, // absent: denied
		{NamespaceCostBudget, "USD:5", false},
		{NamespaceModelUse, "acme/large", true},
		{NamespaceModelUse, "other/large", false},
		{"x-vendor.acme.queue", "jobs", true},
		{"", "", false},
	} {
		if got := l.Covers(c.capability, c.target); got != c.want {
			t.Errorf("Covers(%q, %q) = %v, want %v", c.capability, c.target, got, c.want)
		}
	}
	if (Lease{"fs.delete": {"**"}}).Covers("fs.delete", "/w") {
		t.Error("a namespace that is none covers something")
	}
	if Lease(nil).Covers(NamespaceFSRead, "/w") {
		t.Error("a nil lease covers something; guards E7")
	}
}

func TestLeaseValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lease Lease
		want  string // a part of the error; empty for none
	}{
		{nil, ""},
		{Lease{NamespaceFSRead: {"/w/**"}, NamespaceCostBudget: {"USD:5", "EUR:1.50"}, "x-vendor.a.b": {"*"}}, ""},
		{Lease{"fs.delete": {"/w"}}, "/fs.delete is not"},
		{Lease{"x-vendor.a": {"*"}}, "/x-vendor.a is not"},
		{Lease{"x-vendor.a..b": {"*"}}, "/x-vendor.a..b is not"},
		{Lease{NamespaceFSRead: {"/ok", "/w/../x"}}, "/fs.read/1 holds a dot segment"},
		{Lease{NamespaceFSRead: {""}}, "/fs.read/0 is empty"},
		{Lease{NamespaceNetFetch: {"example.com"}}, "/net.fetch/0 is not"},
		{Lease{NamespaceCostBudget: {"USD:5", "USD:6"}}, "/cost.budget/1 names a currency again"},
		{Lease{NamespaceCostBudget: {"USD:NaN"}}, "/cost.budget/0 is not"},
		{Lease{NamespaceToolCall: make([]string, LimitPatterns+1)}, "more than"},
	} {
		err := c.lease.Validate()
		if c.want == "" {
			if err != nil {
				t.Errorf("Validate(%v) = %v, want nil", c.lease, err)
			}
			continue
		}
		if !errors.Is(err, CodeInvalidRequest) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Validate(%.80v) = %v, want INVALID_REQUEST with %q", c.lease, err, c.want)
		}
	}
}

// Namespaces without patterns cost their room, too.
func TestLeaseValidateEmptyNamespaces(t *testing.T) {
	t.Parallel()
	l := Lease{}
	for i := range LimitPatterns + 1 {
		if err := l.Validate(); err != nil {
			t.Fatalf("Validate of %d namespaces = %v", i, err)
		}
		l["x-vendor.acme.n"+strconv.Itoa(i)] = nil
	}
	if err := l.Validate(); !errors.Is(err, CodeInvalidRequest) {
		t.Errorf("Validate of %d namespaces = %v, want INVALID_REQUEST", len(l), err)
	}
}

// guards G4
func TestLeaseBudget(t *testing.T) {
	t.Parallel()
	b, err := Lease{NamespaceCostBudget: {"USD:5.00", "EUR:1"}}.Budget()
	if err != nil || len(b) != 2 || b["USD"].String() != "5.00" {
		t.Errorf("Budget = %v, %v", b, err)
	}
	if b, err := (Lease{}).Budget(); b != nil || err != nil {
		t.Errorf("Budget of no budget = %v, %v, want none", b, err)
	}
	if _, err := (Lease{NamespaceCostBudget: {"USD:5", "USD:6"}}).Budget(); !errors.Is(err, CodeInvalidRequest) {
		t.Errorf("Budget of a currency twice = %v, want INVALID_REQUEST", err)
	}
}

func TestLeaseClone(t *testing.T) {
	t.Parallel()
	a := Lease{NamespaceFSRead: {"/a"}}
	b := a.Clone()
	b[NamespaceFSRead][0] = "/b"
	if a[NamespaceFSRead][0] != "/a" || Lease(nil).Clone() != nil {
		t.Error("Clone shares memory with its original")
	}
}

// A clone outlives the memory of the frame it was read from.
func TestLeaseCloneOwnsItsTexts(t *testing.T) {
	t.Parallel()
	frame := []byte(`{"arcp":"1.1","type":"job.submit","id":"i","payload":{"agent":"a","lease_request":{"fs.read":["/a"]}}}`)
	var e Envelope
	if err := e.DecodeFrom(frame); err != nil {
		t.Fatal(err)
	}
	c := e.Payload.(*JobSubmit).LeaseRequest.Clone()
	clear(frame)
	for ns, patterns := range c {
		if ns != NamespaceFSRead || !slices.Equal(patterns, []string{"/a"}) {
			t.Errorf("the clone is %q: %q, want fs.read: /a", ns, patterns)
		}
	}
}
