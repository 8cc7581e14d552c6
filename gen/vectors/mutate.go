package vectors

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/arcpkit/arcp/gen/ir"
)

// change is one way an object differs from a valid one.
type change struct {
	name   string
	object text
	valid  bool
	layers []string
}

// changes lists the ways to spoil an object one member at a time, and those that leave it valid.
func (g *generator) changes(o *ir.Object) []change {
	base, least := g.full(o), g.minimal(o)
	all := []change{
		{name: "all members", object: base.text(), valid: true},
		{name: "required members only", object: least.text(), valid: true},
		{name: "members in reverse order", object: base.reversed().text(), valid: true},
		{name: "unknown member", object: append(object{{"unknown", `{"a": [1]}`}}, base...).text(), valid: true},
	}
	for _, f := range o.Fields {
		all = append(all, g.fieldChanges(o, base, f)...)
	}
	all = append(all, g.aliasChanges(o, base)...)
	for _, group := range o.ExactlyOneOf {
		none, both := base, base
		for _, f := range group {
			none, both = none.without(f.Wire), both.set(f.Wire, g.sample(f, true))
		}
		all = append(all,
			change{name: "none of " + wires(group), object: none.text(), layers: rule()},
			change{name: "both of " + wires(group), object: both.text(), layers: rule()})
	}
	for _, group := range o.AtMostOneOf {
		both := base
		for _, f := range group {
			both = both.set(f.Wire, g.sample(f, true))
		}
		all = append(all, change{name: "both of " + wires(group), object: both.text(), layers: rule()})
	}
	return all
}

func wires(fields []*ir.Field) string {
	var names []string
	for _, f := range fields {
		names = append(names, f.Wire)
	}
	return strings.Join(names, ", ")
}

func (g *generator) fieldChanges(o *ir.Object, base object, f *ir.Field) []change {
	// A member of a group stands in for the one chosen.
	for _, group := range append(append([][]*ir.Field{}, o.ExactlyOneOf...), o.AtMostOneOf...) {
		for _, other := range group {
			if contains(group, f) && other != f {
				base = base.without(other.Wire)
			}
		}
	}
	var out []change
	add := func(what string, value text, valid bool, layers []string) {
		out = append(out, change{f.Wire + " " + what, base.set(f.Wire, value).text(), valid, layers})
	}
	missing := func(layers []string) {
		out = append(out, change{f.Wire + " missing", base.without(f.Wire).text(), false, layers})
	}
	switch {
	case f.Required && f.Type.Nullable():
		missing(shape())
		add("null", "null", true, nil)
	case f.Required:
		missing(shape())
		add("null", "null", false, shape())
	case wanted(f):
		missing(rule())
		add("null", "null", false, rule())
	case f.Type.Nullable() || !grouped(o, f):
		add("null", "null", true, nil)
	}
	if len(f.OneOf) > 0 {
		add("not a string", "7", false, shape())
		// Another version is another wire: it is refused before anything else is read.
		add("other value", `"no such value"`, false, map[bool][]string{true: shape(), false: rule()}[f.Type.Base == ir.String])
		return out
	}
	// An empty message type is unknown like any other.
	if f.Type.Base == ir.EnumBase && f.Type.Enum.Open && f.Type.Enum.Table != "messages" && (f.Required || f.Written) {
		add("empty", `""`, false, rule())
	}
	for _, v := range g.badValues(f.Type, f.Rules) {
		// The zero of an optional member means that it is absent.
		if zero := v.object == `""` || v.object == "0"; !zero || f.Required || f.Explicit {
			add(v.name, v.object, v.valid, v.layers)
		}
	}
	if f.Lone {
		add("alone", g.sampleOf(f.Type.Elem, f.Type.Elem.Rules, true), true, nil)
	}
	return out
}

func contains(group []*ir.Field, f *ir.Field) bool {
	for _, x := range group {
		if x == f {
			return true
		}
	}
	return false
}

// wanted says whether Validate misses a field that Decode does not.
func wanted(f *ir.Field) bool {
	switch f.Type.Base {
	case ir.String, ir.EnumBase, ir.Time:
		return f.Written
	default:
		return false
	}
}

func grouped(o *ir.Object, f *ir.Field) bool {
	for _, group := range o.ExactlyOneOf {
		if contains(group, f) {
			return true
		}
	}
	return false
}

// badValues lists values that are not of a type or break its rules, and odd ones that are fine.
func (g *generator) badValues(t *ir.Type, r ir.Rules) []change {
	wrong := func(what string, v text) change { return change{what, v, false, shape()} }
	broken := func(what string, v text) change { return change{what, v, false, rule()} }
	switch t.Base {
	case ir.String:
		return append([]change{wrong("not a string", "7")}, badStrings(r)...)
	case ir.EnumBase:
		out := []change{wrong("not a string", "7")}
		if t.Enum.Vendor {
			out = append(out, change{"of a vendor", `"x-vendor.acme.thing"`, true, nil})
		}
		if !t.Enum.Open {
			out = append(out, broken("other value", `"no such value"`))
		}
		return out
	case ir.Bool:
		return []change{wrong("not a boolean", `"true"`), wrong("a number", "1")}
	case ir.Int, ir.Uint:
		return append([]change{wrong("a string", `"1"`), wrong("a fraction", "1.5"), wrong("too large for 64 bits", "18446744073709551616")},
			badNumbers(t.Base, r)...)
	case ir.Float, ir.Number:
		return append([]change{wrong("a string", `"1"`)}, badNumbers(t.Base, r)...)
	case ir.Amount:
		return []change{wrong("not a number", "true")}
	case ir.Time:
		return badTimes(r)
	case ir.List:
		out := []change{wrong("not a list", `{"a": 1}`), wrong("with null", "[null]")}
		for _, v := range g.badValues(t.Elem, t.Elem.Rules) {
			out = append(out, change{"with an element " + v.name, "[" + v.object + "]", v.valid, v.layers})
		}
		return out
	case ir.Map, ir.Lease, ir.RawObject, ir.Body, ir.Payload:
		return append([]change{wrong("a list", "[]"), wrong("a string", `"{}"`)}, g.badMembers(t)...)
	case ir.ObjectRef:
		out := []change{wrong("a list", "[]"), wrong("a string", `"{}"`)}
		if !g.done[t.Object] {
			g.done[t.Object] = true
			out = append(out, g.nested(t.Object)...)
		}
		return out
	default:
		return nil
	}
}

// nested spoils an object inside another; once is enough for an object that many messages share.
func (g *generator) nested(o *ir.Object) []change {
	var out []change
	for _, c := range g.changes(o)[1:] {
		c.name = "with " + c.name
		out = append(out, c)
	}
	return out
}

func (g *generator) badMembers(t *ir.Type) []change {
	switch t.Base {
	case ir.Lease:
		return []change{
			{"with a string for patterns", `{"fs.read": "/work"}`, false, shape()},
			{"with a number for a pattern", `{"fs.read": [1]}`, false, shape()},
			{"with an unknown namespace", `{"fs.erase": ["/work"]}`, false, rule()},
			{"with a vendor's namespace", `{"x-vendor.acme.rack": ["r1"]}`, true, nil},
			{"empty", "{}", true, nil},
		}
	case ir.Map:
		return []change{{"with a wrong value", `{"USD": true}`, false, shape()}}
	default:
		return nil
	}
}

func badStrings(r ir.Rules) []change {
	var out []change
	if r.Min != nil && *r.Min > 0 {
		out = append(out, change{"too short", text(quote(strings.Repeat("a", int(*r.Min)-1))), false, rule()})
	}
	if r.Max != nil && *r.Max < 8192 {
		out = append(out, change{"too long", text(quote(strings.Repeat("a", int(*r.Max)+1))), false, rule()})
	}
	if r.Pattern != "" && !regexp.MustCompile(r.Pattern).MatchString("!") {
		out = append(out, change{"not of the pattern", `"!"`, false, rule()})
	}
	return out
}

func badNumbers(base ir.Base, r ir.Rules) []change {
	var out []change
	switch {
	case base == ir.Uint:
		out = append(out, change{"negative", "-1", false, shape()})
		if r.Min != nil && *r.Min > 0 {
			out = append(out, change{"too small", text(strconv.FormatInt(*r.Min-1, 10)), false, rule()})
		}
	case r.Min != nil && r.ExclusMin:
		out = append(out, change{"too small", text(strconv.FormatInt(*r.Min, 10)), false, rule()})
	case r.Min != nil:
		out = append(out, change{"too small", text(strconv.FormatInt(*r.Min-1, 10)), false, rule()})
	}
	if r.Max != nil {
		out = append(out, change{"too large", text(strconv.FormatInt(*r.Max+1, 10)), false, rule()})
	}
	return out
}

func badTimes(r ir.Rules) []change {
	offset := change{"with an offset", `"2026-11-24T14:00:00+02:00"`, true, nil}
	if r.UTC {
		offset.valid, offset.layers = false, rule()
	}
	return []change{
		{"a number", "1795521600", false, shape()},
		{"not a time", `"noon"`, false, shape()},
		{"without a zone", `"2026-11-24T12:00:00"`, false, shape()},
		{"on a day that is none", `"2026-02-30T12:00:00Z"`, false, shape()},
		offset,
	}
}
