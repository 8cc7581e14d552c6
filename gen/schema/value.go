package schema

import (
	"encoding/json"
	"strconv"

	js "github.com/invopop/jsonschema"

	"github.com/arcpkit/arcp/gen/ir"
)

// field is the schema of a member's value.
func (b builder) field(f *ir.Field) *js.Schema {
	s := b.value(f)
	if f.Lone {
		s = &js.Schema{AnyOf: []*js.Schema{s, b.value(&ir.Field{Type: f.Type.Elem, Rules: f.Type.Elem.Rules})}}
	}
	if !must(f) && !f.Type.Nullable() {
		s = nullable(s)
	}
	if must(f) && named(f.Type) {
		// Any name will do, but no name is an absent one.
		one := uint64(1)
		s.MinLength = &one
	}
	s.Description = describe(f.Meta)
	if f.Secret {
		s.Extras = with(s.Extras, "x-secret", true)
	}
	return s
}

// named says whether a type is an open enum whose values must not be empty. An empty message type is not among them: it is
// unknown like any other, and its frame passes through untouched.
func named(t *ir.Type) bool {
	return t.Base == ir.EnumBase && t.Enum.Open && t.Enum.Table != "messages"
}

// alias is the schema of another spelling of a field.
func (b builder) alias(a *ir.Alias) *js.Schema {
	target := *a.Path[len(a.Path)-1]
	target.Required, target.Written = false, false
	s := b.field(&target)
	path := ""
	for _, f := range a.Path {
		path += "/" + f.Wire
	}
	s.Description = "Read as " + path[1:] + "; never written."
	return s
}

func (b builder) value(f *ir.Field) *js.Schema {
	if len(f.OneOf) > 0 {
		return oneOf(f.OneOf)
	}
	t := f.Type
	switch {
	case t.Scalar != nil && sameRules(f.Rules, t.Scalar.Rules):
		return b.ref(t.Scalar.Wire)
	case t.Base == ir.EnumBase:
		return b.ref(t.Enum.Wire)
	case t.Base == ir.ObjectRef:
		return b.ref(t.Object.Wire)
	case t.Base == ir.Lease:
		return b.ref("lease")
	case t.Base == ir.Amount:
		return b.ref("amount")
	}
	s := b.plain(t)
	limit(s, t.Base, f.Rules)
	return s
}

func (b builder) ref(name string) *js.Schema { return &js.Schema{Ref: b.types + "#/$defs/" + name} }

// plain is the schema of a type without names and rules.
func (b builder) plain(t *ir.Type) *js.Schema {
	switch t.Base {
	case ir.String:
		return &js.Schema{Type: "string"}
	case ir.Bool:
		return &js.Schema{Type: "boolean"}
	case ir.Int:
		return &js.Schema{Type: "integer", Minimum: "-9223372036854775808", Maximum: "9223372036854775807"}
	case ir.Uint:
		return &js.Schema{Type: "integer", Minimum: "0", Maximum: "18446744073709551615"}
	case ir.Float, ir.Number:
		return &js.Schema{Type: "number"}
	case ir.Time:
		return &js.Schema{Type: "string", Format: "date-time"}
	case ir.List:
		return &js.Schema{Type: "array", Items: b.value(&ir.Field{Type: t.Elem, Rules: t.Elem.Rules})}
	case ir.Map:
		s := &js.Schema{Type: "object", AdditionalProperties: b.value(&ir.Field{Type: t.Elem, Rules: t.Elem.Rules})}
		if t.Key != nil {
			s.PropertyNames = b.ref(t.Key.Wire)
		}
		return s
	case ir.RawObject, ir.Body, ir.Payload:
		return &js.Schema{Type: "object"}
	default:
		return &js.Schema{}
	}
}

// limit writes rules into the schema of a value of the base.
func limit(s *js.Schema, base ir.Base, r ir.Rules) {
	s.Pattern = r.Pattern
	if r.UTC {
		s.Pattern = "Z$"
	}
	switch base {
	case ir.String:
		s.MinLength, s.MaxLength = count(r.Min), count(r.Max)
	case ir.List:
		s.MinItems, s.MaxItems = count(r.Min), count(r.Max)
	case ir.Map:
		s.MinProperties, s.MaxProperties = count(r.Min), count(r.Max)
	default:
		if r.Min != nil && r.ExclusMin {
			s.ExclusiveMinimum = number(*r.Min)
		} else if r.Min != nil {
			s.Minimum = number(*r.Min)
		}
		if r.Max != nil {
			s.Maximum = number(*r.Max)
		}
	}
}

func count(n *int64) *uint64 {
	if n == nil {
		return nil
	}
	u := uint64(*n)
	return &u
}

func number(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

func oneOf(values []*ir.Value) *js.Schema {
	s := &js.Schema{Type: "string"}
	for _, v := range values {
		s.Enum = append(s.Enum, v.Wire)
	}
	return s
}

// nullable lets null stand for an absent member.
func nullable(s *js.Schema) *js.Schema {
	if s.Type == "" || s.Enum != nil {
		return &js.Schema{AnyOf: []*js.Schema{s, {Type: "null"}}}
	}
	// The document model knows one type only.
	s.Extras = with(s.Extras, "type", []string{s.Type, "null"})
	s.Type = ""
	return s
}

func with(extras map[string]any, key string, value any) map[string]any {
	if extras == nil {
		extras = map[string]any{}
	}
	extras[key] = value
	return extras
}

func sameRules(a, b ir.Rules) bool {
	return sameBound(a.Min, b.Min) && sameBound(a.Max, b.Max) && a.ExclusMin == b.ExclusMin && a.Pattern == b.Pattern && a.UTC == b.UTC
}

func sameBound(a, b *int64) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func describe(m ir.Meta) string {
	switch {
	case m.Section != "" && m.Ours:
		return m.Doc + " §" + m.Section + ", ours."
	case m.Section != "":
		return m.Doc + " §" + m.Section + "."
	case m.Ours:
		return m.Doc + " Ours."
	default:
		return m.Doc
	}
}
