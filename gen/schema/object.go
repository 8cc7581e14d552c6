package schema

import (
	"slices"

	js "github.com/invopop/jsonschema"

	"github.com/arcpkit/arcp/gen/ir"
)

// builder knows how the file it writes reaches types.json.
type builder struct{ types string }

// top turns an object's schema into that of a file.
func (b builder) top(m ir.Meta, title string, s *js.Schema) *js.Schema {
	s.Title, s.Description = title, describe(m)
	return s
}

func (b builder) object(o *ir.Object) *js.Schema {
	s := &js.Schema{Type: "object", Properties: js.NewProperties()}
	for _, f := range o.Fields {
		s.Properties.Set(f.Wire, b.field(f))
	}
	for _, a := range o.Aliases {
		s.Properties.Set(a.Wire, b.alias(a))
	}
	for _, f := range o.Fields {
		s.AllOf = append(s.AllOf, needs(s, o, f)...)
	}
	for _, group := range o.ExactlyOneOf {
		s.AllOf = append(s.AllOf, &js.Schema{OneOf: each(group)})
	}
	for _, group := range o.AtMostOneOf {
		s.AllOf = append(s.AllOf, atMostOne(group)...)
	}
	return s
}

// needs says when a field must be there: always, by any of its spellings, or never.
func needs(s *js.Schema, o *ir.Object, f *ir.Field) []*js.Schema {
	ways := []*js.Schema{present(f)}
	var flat, flatNeeded []*ir.Field
	for _, a := range o.Aliases {
		switch {
		case a.Path[0] != f:
		case len(a.Path) == 1:
			ways = append(ways, present(spelled(a)))
		default:
			flat = append(flat, spelled(a))
			if a.Path[1].Required {
				flatNeeded = append(flatNeeded, spelled(a))
			}
		}
	}
	if len(ways) == 1 && len(flat) == 0 {
		if must(f) {
			s.Required = append(s.Required, f.Wire)
		}
		return nil
	}
	if len(flat) > 0 {
		ways = append(ways, allOf(flatNeeded))
	}
	if !must(f) {
		if len(flat) == 0 {
			return nil
		}
		ways = append(ways, &js.Schema{Not: &js.Schema{AnyOf: each(flat)}})
	}
	return []*js.Schema{{AnyOf: ways}}
}

// must says whether Decode or Validate wants the field. Of the fields that are written always, Validate can tell only for
// texts and times that they were not there.
func must(f *ir.Field) bool {
	switch f.Type.Base {
	case ir.String, ir.EnumBase, ir.Time:
		return f.Required || f.Written
	default:
		return f.Required
	}
}

// spelled is the field an alias leads to, under the alias's name.
func spelled(a *ir.Alias) *ir.Field {
	f := *a.Path[len(a.Path)-1]
	f.Wire = a.Wire
	return &f
}

func allOf(fields []*ir.Field) *js.Schema {
	if len(fields) == 1 {
		return present(fields[0])
	}
	return &js.Schema{AllOf: each(fields)}
}

// each gives one alternative a field: that it is present, where null counts only if it is a value.
func each(fields []*ir.Field) []*js.Schema {
	var out []*js.Schema
	for _, f := range fields {
		out = append(out, present(f))
	}
	return out
}

func present(f *ir.Field) *js.Schema {
	s := &js.Schema{Required: []string{f.Wire}}
	if !f.Type.Nullable() {
		s.Properties = js.NewProperties()
		s.Properties.Set(f.Wire, &js.Schema{Not: &js.Schema{Type: "null"}})
	}
	return s
}

func atMostOne(fields []*ir.Field) []*js.Schema {
	var out []*js.Schema
	for i, f := range fields {
		for _, g := range fields[i+1:] {
			out = append(out, &js.Schema{Not: &js.Schema{AllOf: each([]*ir.Field{f, g})}})
		}
	}
	return out
}

// message is an object and, for the message that carries event bodies, the choice of the body's schema by its kind.
func (b builder) message(p *ir.Protocol, m *ir.Message) *js.Schema {
	s := b.top(m.Meta, m.Wire, b.object(&m.Object))
	i := slices.IndexFunc(m.Fields, func(f *ir.Field) bool { return f.Type.Base == ir.Body })
	if i < 0 {
		return s
	}
	for _, k := range p.Kinds {
		s.AllOf = append(s.AllOf, choice("kind", k.Wire, m.Fields[i].Wire, &js.Schema{Ref: "../" + kindPath(k)}))
	}
	return s
}

// choice says that member has the schema then when selector has a value.
func choice(selector, value, member string, then *js.Schema) *js.Schema {
	when := &js.Schema{Properties: js.NewProperties(), Required: []string{selector}}
	when.Properties.Set(selector, &js.Schema{Const: value})
	s := &js.Schema{If: when, Then: &js.Schema{Properties: js.NewProperties()}}
	s.Then.Properties.Set(member, then)
	return s
}

func (b builder) envelope(p *ir.Protocol) *js.Schema {
	e := p.Envelope
	s := b.object(&ir.Object{Meta: e.Meta, Fields: e.Fields})
	if extensions, ok := s.Properties.Get("extensions"); ok {
		extensions.PropertyNames = vendorName(p)
	}
	for _, m := range p.Messages {
		c := choice("type", m.Wire, "payload", &js.Schema{Ref: messagePath(m)})
		if m.JobScoped {
			require(c.Then, "job_id")
		}
		if m.From == ir.FromRuntime {
			require(c.Then, "session_id")
		}
		if m.Sequenced {
			require(c.Then, "event_seq")
		} else {
			c.Then.Properties.Set("event_seq", &js.Schema{Type: "null"})
		}
		s.AllOf = append(s.AllOf, c)
	}
	return b.top(e.Meta, p.Name+" "+p.Version+" envelope", s)
}

// require adds a member that is there and not null.
func require(s *js.Schema, member string) {
	s.Required = append(s.Required, member)
	s.Properties.Set(member, &js.Schema{Not: &js.Schema{Type: "null"}})
}
