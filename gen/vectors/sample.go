package vectors

import (
	"strconv"
	"strings"

	"github.com/arcpkit/arcp/gen/ir"
)

const sampleTime = `"2026-11-24T12:00:00.250Z"`

// minimal is an object with what it must have, full one with all it may have.
func (g *generator) minimal(o *ir.Object) object { return g.build(o, false) }

func (g *generator) full(o *ir.Object) object { return g.build(o, true) }

func (g *generator) build(o *ir.Object, all bool) object {
	skip := map[*ir.Field]bool{}
	chosen := map[*ir.Field]bool{}
	for _, group := range o.ExactlyOneOf {
		chosen[group[0]] = true
		for _, f := range group[1:] {
			skip[f] = true
		}
	}
	for _, group := range o.AtMostOneOf {
		for _, f := range group[1:] {
			skip[f] = true
		}
	}
	var out object
	for _, f := range o.Fields {
		if (all || f.Required || f.Written || chosen[f]) && !skip[f] {
			out = append(out, member{f.Wire, g.sample(f, all)})
		}
	}
	return out
}

// sample is a valid value of a field.
func (g *generator) sample(f *ir.Field, all bool) text {
	if len(f.OneOf) > 0 {
		return text(quote(f.OneOf[0].Wire))
	}
	return g.sampleOf(f.Type, f.Rules, all)
}

func (g *generator) sampleOf(t *ir.Type, r ir.Rules, all bool) text {
	if t.Scalar != nil && t.Scalar.Example != "" {
		return text(t.Scalar.Example)
	}
	if g.legible {
		switch t.Base {
		case ir.String:
			return `"…"`
		case ir.Any, ir.RawObject:
			return `{"n": 1}`
		}
	}
	switch t.Base {
	case ir.String:
		return text(quote(strings.Repeat("s", max(1, bound(r.Min, 5)))))
	case ir.Bool:
		return "true"
	case ir.Int, ir.Uint:
		return text(strconv.Itoa(bound(r.Min, 0) + 1))
	case ir.Float, ir.Number:
		return text(strconv.Itoa(bound(r.Min, 0)) + ".5")
	case ir.Time:
		return sampleTime
	case ir.Amount:
		return "12.50"
	case ir.Lease:
		return `{"fs.read": ["/data/**"]}`
	case ir.EnumBase:
		return text(quote(t.Enum.Values[0].Wire))
	case ir.ObjectRef:
		return g.build(t.Object, all).text()
	case ir.List:
		return "[" + g.sampleOf(t.Elem, t.Elem.Rules, all) + "]"
	case ir.Map:
		key := `"key"`
		if t.Key != nil && t.Key.Example != "" {
			key = t.Key.Example
		}
		return text("{" + key + ": " + string(g.sampleOf(t.Elem, t.Elem.Rules, all)) + "}")
	case ir.Any:
		return `{"any": [1, -2.50e3, null, "\u00e9"]}`
	case ir.Body:
		// The kind sampled is the first one.
		return g.build(&g.p.Kinds[0].Object, all).text()
	default:
		return `{"x-vendor.acme.key": {"n": 1}}`
	}
}

func bound(n *int64, otherwise int) int {
	if n == nil {
		return otherwise
	}
	return int(*n)
}
