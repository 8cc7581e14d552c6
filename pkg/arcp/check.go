package arcp

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/arcpkit/arcp/internal/jsonx"
)

// checker collects the findings of one Validate. It allocates only when something is wrong.
type checker struct {
	// path holds the members and elements entered; a step with an empty name is an element.
	path  [8]step
	depth int
	found []Finding
}

type step struct {
	name  string
	index int
}

func (c *checker) err() error {
	if len(c.found) == 0 {
		return nil
	}
	return &ValidationError{Findings: c.found}
}

func (c *checker) enter(member string) { c.push(step{name: member, index: -1}) }

func (c *checker) enterAt(member string, i int) { c.push(step{name: member, index: i}) }

func (c *checker) push(s step) {
	if c.depth < len(c.path) {
		c.path[c.depth] = s
	}
	c.depth++
}

func (c *checker) leave() { c.depth-- }

// add notes a problem with a member of the object entered, or with what was entered itself when member is empty.
func (c *checker) add(member, problem string) {
	var b strings.Builder
	for _, s := range c.path[:min(c.depth, len(c.path))] {
		b.WriteString("/" + s.name)
		if s.index >= 0 {
			b.WriteString("/" + strconv.Itoa(s.index))
		}
	}
	if member != "" {
		b.WriteString("/" + escapePointer(member))
	}
	c.found = append(c.found, Finding{Pointer: b.String(), Problem: problem})
}

func escapePointer(s string) string {
	if !strings.ContainsAny(s, "~/") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}

func (c *checker) number(member string, n Number) {
	if !n.Valid() {
		c.add(member, "is not a number")
	}
}

func (c *checker) raw(member string, r RawJSON) {
	if err := jsonx.Scan(r); err != nil {
		c.add(member, "is not well-formed JSON: "+err.Error())
	}
}

func (c *checker) rawObject(member string, r RawJSON) {
	if c.raw(member, r); len(r) == 0 || r[0] != '{' {
		c.add(member, "is not a JSON object")
	}
}

// utc checks a time that must have been written with Z. Reading names the zone of a numeric offset after its text.
func (c *checker) utc(member string, t time.Time) {
	if name, offset := t.Zone(); offset != 0 || strings.HasSuffix(name, "00:00") {
		c.add(member, "is not in UTC")
	}
}

// lease checks namespaces and patterns.
func (c *checker) lease(member string, l Lease) {
	err := l.Validate()
	var v *ValidationError
	switch {
	case err == nil:
	case errors.As(err, &v):
		for _, f := range v.Findings {
			c.enter(member)
			c.add("", f.Problem)
			c.found[len(c.found)-1].Pointer += f.Pointer
			c.leave()
		}
	default:
		c.add(member, err.Error())
	}
}

// kind reports whether k is an event kind: a known one or a vendor name.
func (c *checker) kind(k EventKind) bool {
	_, known := KindRuleOf(k)
	return known || isVendorName(string(k))
}

func (c *checker) extensions(member string, r RawJSON) {
	if r == nil {
		return
	}
	var d jsonx.Decoder
	d.Reset(r)
	if !d.OpenObject() {
		c.add(member, "is not a JSON object")
		return
	}
	for key, ok := d.NextKey(); ok; key, ok = d.NextKey() {
		if !isVendorName(key) {
			c.enter(member)
			c.add(key, "is not a vendor name")
			c.leave()
		}
		d.Skip()
	}
	if d.Failed() {
		c.add(member, "is not well-formed JSON")
	}
}

func (c *checker) exactlyOne(members string, present ...bool) {
	if count(present) != 1 {
		c.add("", "needs exactly one of "+members)
	}
}

func (c *checker) atMostOne(members string, present ...bool) {
	if count(present) > 1 {
		c.add("", "has more than one of "+members)
	}
}

func count(present []bool) int {
	n := 0
	for _, p := range present {
		if p {
			n++
		}
	}
	return n
}
