package text

import (
	"strconv"
	"strings"

	"github.com/arcpkit/arcp/gen/ir"
)

func fieldRows(fields []*ir.Field) []row {
	var rows []row
	for _, f := range fields {
		rows = append(rows, row{
			Name: f.Wire, Type: typeOf(f), Presence: presence(f), Doc: cell(fieldDoc(f)),
		})
	}
	return rows
}

func typeOf(f *ir.Field) string {
	if len(f.OneOf) > 0 {
		var values []string
		for _, v := range f.OneOf {
			values = append(values, "`"+v.Wire+"`")
		}
		return strings.Join(values, " or ")
	}
	if f.Type.Scalar != nil {
		return typeText(f.Type)
	}
	s := typeText(f.Type) + ruleText(f.Type.Base, f.Rules)
	if f.Lone {
		s += ", or one alone"
	}
	return cell(s)
}

func presence(f *ir.Field) string {
	switch {
	case f.Required:
		return "required"
	case f.Written:
		return "written"
	case f.WriteNull:
		return "written, null when empty"
	default:
		return ""
	}
}

func fieldDoc(f *ir.Field) string {
	s := prose(f.Meta)
	if f.Secret {
		s += " Secret: redacted wherever it is shown."
	}
	if f.Feature != nil {
		s += " Feature `" + f.Feature.Wire + "`."
	}
	return s
}

func typeText(t *ir.Type) string {
	switch {
	case t.Scalar != nil:
		return link(t.Scalar.Wire)
	case t.Enum != nil && t.Enum.Table == "":
		return link(t.Enum.Wire)
	case t.Enum != nil:
		return tableLink(t.Enum)
	case t.Object != nil:
		return link(t.Object.Wire)
	}
	switch t.Base {
	case ir.String:
		return "string"
	case ir.Bool:
		return "boolean"
	case ir.Int, ir.Uint:
		return "integer"
	case ir.Float, ir.Number:
		return "number"
	case ir.Time:
		return "[time](#time)"
	case ir.Amount:
		return "[amount](#amount)"
	case ir.Lease:
		return "[lease](#lease)"
	case ir.List:
		return "list of " + typeText(t.Elem) + ruleText(t.Elem.Base, ownRules(t.Elem))
	case ir.Map:
		return "object of " + typeText(t.Elem)
	case ir.Any:
		return "any JSON value"
	default:
		return "object"
	}
}

// ownRules are an element's rules unless the name of its scalar says them.
func ownRules(t *ir.Type) ir.Rules {
	if t.Scalar != nil {
		return ir.Rules{}
	}
	return t.Rules
}

func ruleText(base ir.Base, r ir.Rules) string {
	many := ""
	switch base {
	case ir.String:
		many = " bytes"
	case ir.List, ir.Map:
		many = " entries"
	}
	s := ""
	if base == ir.Uint && r.Min == nil {
		r.Min = new(int64)
	}
	switch {
	case r.Min != nil && r.ExclusMin:
		s += ", more than " + decimal(*r.Min)
	case r.Min != nil && r.Max != nil:
		s += ", " + decimal(*r.Min) + ".." + decimal(*r.Max) + many
	case r.Min != nil:
		s += ", at least " + decimal(*r.Min) + unit(many, *r.Min)
	}
	if r.Max != nil && (r.Min == nil || r.ExclusMin) {
		s += ", at most " + decimal(*r.Max) + unit(many, *r.Max)
	}
	if r.Pattern != "" {
		s += ", `" + strings.ReplaceAll(r.Pattern, "|", `\|`) + "`"
	}
	if r.UTC {
		s += ", in UTC"
	}
	return s
}

// unit is the name of a unit, given as of many, as it is said of n.
func unit(many string, n int64) string {
	switch {
	case n != 1:
		return many
	case strings.HasSuffix(many, "ies"):
		return strings.TrimSuffix(many, "ies") + "y"
	default:
		return strings.TrimSuffix(many, "s")
	}
}

// tableLink leads to the table that an enum's values are the names of.
func tableLink(e *ir.Enum) string {
	heading := map[string]string{"messages": "messages", "kinds": "event-kinds", "codes": "error-codes", "features": "features"}[e.Table]
	return "[" + e.Wire + "](#" + heading + ")"
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func prose(m ir.Meta) string {
	s := m.Doc
	if m.Section != "" {
		s += " §" + m.Section + "."
	}
	if m.Ours {
		s += " *Ours.*"
	}
	return s
}

// cell keeps a text from ending its table cell.
func cell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, `\|`, "|"), "|", `\|`)
}

// anchor is the id that a heading with that text gets where Markdown is shown.
func anchor(heading string) string {
	return strings.ReplaceAll(strings.ToLower(heading), ".", "")
}

func link(name string) string { return "[" + name + "](#" + anchor(name) + ")" }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func names(fields []*ir.Field) string {
	var out []string
	for _, f := range fields {
		out = append(out, "`"+f.Wire+"`")
	}
	return strings.Join(out, " and ")
}

func path(fields []*ir.Field) string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Wire)
	}
	return strings.Join(out, ".")
}
