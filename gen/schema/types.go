package schema

import (
	"regexp"

	js "github.com/invopop/jsonschema"

	"github.com/arcpkit/arcp/gen/ir"
)

// shared is the schema that only holds definitions: what several messages refer to.
func (b builder) shared(p *ir.Protocol) *js.Schema {
	b.types = ""
	defs := js.Definitions{
		"lease":  lease(p),
		"amount": {Type: "number", Description: "An exact decimal, of at most 38 digits. §9.6."},
	}
	for _, s := range p.Scalars {
		def := b.plain(&ir.Type{Base: s.Base})
		limit(def, s.Base, s.Rules)
		def.Description = describe(s.Meta)
		defs[s.Wire] = def
	}
	for _, e := range tables(p) {
		defs[e.Wire] = enum(p, e)
	}
	for _, o := range p.Objects {
		def := b.object(o)
		def.Description = describe(o.Meta)
		defs[o.Wire] = def
	}
	return &js.Schema{Title: p.Name + " " + p.Version + " shared types", Definitions: defs}
}

// tables lists the enums of the spec and those made from its tables, which are reached through fields only.
func tables(p *ir.Protocol) []*ir.Enum {
	enums := append([]*ir.Enum(nil), p.Enums...)
	seen := map[*ir.Enum]bool{}
	for _, e := range enums {
		seen[e] = true
	}
	add := func(fields []*ir.Field) {
		for _, f := range fields {
			for t := f.Type; t != nil; t = t.Elem {
				if t.Enum != nil && !seen[t.Enum] {
					seen[t.Enum] = true
					enums = append(enums, t.Enum)
				}
			}
		}
	}
	add(p.Envelope.Fields)
	for _, o := range p.Objects {
		add(o.Fields)
	}
	for _, m := range p.Messages {
		add(m.Fields)
	}
	for _, k := range p.Kinds {
		add(k.Fields)
	}
	return enums
}

// enum is closed, but for vendor names where those are valid; an open one lists its values as examples.
func enum(p *ir.Protocol, e *ir.Enum) *js.Schema {
	s := oneOf(e.Values)
	switch {
	case e.Open:
		s = &js.Schema{Type: "string", Examples: s.Enum}
	case e.Vendor:
		s = &js.Schema{AnyOf: []*js.Schema{s, vendorName(p)}}
	}
	s.Description = describe(e.Meta)
	return s
}

// vendorName is the schema of names that vendors make: the prefix and two segments at least.
func vendorName(p *ir.Protocol) *js.Schema {
	prefix := ""
	for _, g := range p.Constants {
		for _, c := range g.Values {
			if c.Const == "VendorPrefix" {
				prefix = c.Value
			}
		}
	}
	longest := uint64(128)
	return &js.Schema{
		Type: "string", Pattern: "^" + regexp.QuoteMeta(prefix) + `[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$`, MaxLength: &longest,
	}
}

// lease maps reserved or vendor namespaces to patterns.
func lease(p *ir.Protocol) *js.Schema {
	reserved := &js.Schema{Type: "string"}
	for _, g := range p.Constants {
		if g.List == "ReservedNamespaces" {
			for _, c := range g.Values {
				reserved.Enum = append(reserved.Enum, c.Value)
			}
		}
	}
	return &js.Schema{
		Type:                 "object",
		Description:          "What a job may do: namespaces and the patterns allowed in each. §9.",
		PropertyNames:        &js.Schema{AnyOf: []*js.Schema{reserved, vendorName(p)}},
		AdditionalProperties: &js.Schema{Type: "array", Items: &js.Schema{Type: "string"}},
	}
}
