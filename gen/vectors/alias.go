package vectors

import "github.com/arcpkit/arcp/gen/ir"

// aliasChanges spell members by their other names.
func (g *generator) aliasChanges(o *ir.Object, base object) []change {
	var out []change
	flat := map[*ir.Field][]*ir.Alias{}
	var outer []*ir.Field
	for _, a := range o.Aliases {
		f := a.Path[0]
		if len(a.Path) == 1 {
			out = append(out, change{"with " + a.Wire + " for " + f.Wire, base.without(f.Wire).set(a.Wire, g.sample(f, true)).text(), true, nil})
			continue
		}
		if flat[f] == nil {
			outer = append(outer, f)
		}
		flat[f] = append(flat[f], a)
	}
	for _, f := range outer {
		spelled := base.without(f.Wire)
		for _, a := range flat[f] {
			spelled = spelled.set(a.Wire, g.sample(a.Path[1], true))
		}
		out = append(out, change{"with " + f.Wire + " spelled flat", spelled.text(), true, nil})
		for _, a := range flat[f] {
			if a.Path[1].Required && len(flat[f]) > 1 {
				out = append(out, change{"with " + f.Wire + " spelled flat, " + a.Wire + " missing", spelled.without(a.Wire).text(), false, shape()})
			}
		}
	}
	return out
}
