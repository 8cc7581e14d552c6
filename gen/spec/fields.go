package spec

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/arcpkit/arcp/gen/ir"
)

// fields reads the members of an object, its aliases and its groups, in the second pass.
func (l *loader) fields(o *ir.Object, e member, m *mapping) {
	v, ok := m.get("fields")
	if !ok {
		l.errorf(e.key, "%s has no fields", e.name)
		return
	}
	o.Fields = l.readFields(v)
	byName := map[string]string{}
	goNames := map[string]bool{}
	for _, f := range o.Fields {
		byName[f.Wire] = "a field"
		if goNames[f.Go] {
			l.errorf(e.key, "%s has two fields with the Go name %s", e.name, f.Go)
		}
		goNames[f.Go] = true
	}
	l.checkDynamic(o, e)
	l.fieldAliases(o, v, byName)
	o.ExactlyOneOf = l.groups(o, m, "exactly_one_of")
	o.AtMostOneOf = l.groups(o, m, "at_most_one_of")
	if v, ok := m.get("aliases"); ok {
		// Paths lead through other objects, which must have their fields by then.
		l.later = append(l.later, func() { l.flatAliases(o, v, byName) })
	}
}

func (l *loader) readFields(v value) []*ir.Field {
	var fields []*ir.Field
	for _, e := range l.mapping(v, "fields").members {
		m := l.record(e.val, "a field", "type", "doc", "section", "ours", "required", "presence", "aliases", "min", "max",
			"above", "secret", "feature", "one_of", "lone", "null")
		f := &ir.Field{Meta: l.meta(e, m, false), Name: l.name(e), Index: len(fields)}
		f.Type = l.fieldType(e, m)
		f.Rules = merge(f.Type.Rules, l.rules(e, m, f.Type.Base))
		f.Feature = l.feature(m)
		f.Required, f.Secret, f.Lone, f.WriteNull = l.flag(m, "required"), l.flag(m, "secret"), l.flag(m, "lone"), l.flag(m, "null")
		l.presence(e, m, f)
		l.oneOf(m, f)
		if f.Secret && f.Type.Base != ir.String {
			l.errorf(e.key, "only a string can be secret")
		}
		if f.Lone && f.Type.Base != ir.List {
			l.errorf(e.key, "only a list can be lone")
		}
		if e.name == "arcp" {
			f.OneOf = []*ir.Value{{Wire: l.protocol.Version, Const: "Version", Doc: "The protocol version."}}
		}
		fields = append(fields, f)
	}
	return fields
}

// checkDynamic checks the fields whose type another field chooses, and the number of fields, for each of which a codec
// has one bit.
func (l *loader) checkDynamic(o *ir.Object, e member) {
	if len(o.Fields) > 48 {
		l.errorf(e.key, "%s has more than 48 fields", e.name)
	}
	for _, f := range o.Fields {
		var chooser string
		switch f.Type.Base {
		case ir.Body:
			chooser = "kind"
		case ir.Payload:
			chooser = "type"
		default:
			continue
		}
		if c := o.Field(chooser); c == nil || c.Index > f.Index || !c.Required || !f.Required || c.Type.Base != ir.EnumBase {
			l.errorf(e.key, "%s needs a required field %s before the required field %s", e.name, chooser, f.Wire)
		}
	}
}

func (l *loader) fieldType(e member, m *mapping) *ir.Type {
	v, ok := m.get("type")
	if !ok {
		l.errorf(e.key, "%s has no type", e.name)
		return &ir.Type{Base: ir.Any}
	}
	return l.typeOf(v, l.word(v, "type"))
}

// merge adds a field's own rules to those of its scalar; its own win.
func merge(scalar, own ir.Rules) ir.Rules {
	if own.Min == nil {
		own.Min, own.ExclusMin = scalar.Min, scalar.ExclusMin
	}
	if own.Max == nil {
		own.Max = scalar.Max
	}
	if own.Pattern == "" {
		own.Pattern = scalar.Pattern
	}
	own.UTC = own.UTC || scalar.UTC
	return own
}

func (l *loader) presence(e member, m *mapping, f *ir.Field) {
	switch p := l.text(m, "presence"); p {
	case "":
	case "explicit":
		f.Explicit = true
		if f.Type.Base > ir.Float {
			l.errorf(e.key, "presence explicit is for strings, booleans and numbers")
		}
	case "written":
		f.Written = true
	default:
		l.errorf(e.key, "presence must be explicit or written, not %q", p)
	}
	if f.Required && (f.Explicit || f.Written) {
		l.errorf(e.key, "a required field needs no presence")
	}
}

func (l *loader) oneOf(m *mapping, f *ir.Field) {
	for _, v := range l.items(m, "one_of") {
		var hit *ir.Value
		if f.Type.Base == ir.EnumBase {
			for _, x := range f.Type.Enum.Values {
				if x.Wire == v.node.Value {
					hit = x
				}
			}
		}
		if hit == nil {
			l.errorf(v, "%q is no value of the enum", v.node.Value)
			continue
		}
		f.OneOf = append(f.OneOf, hit)
	}
}

// fieldAliases reads the further names of single fields.
func (l *loader) fieldAliases(o *ir.Object, fields value, taken map[string]string) {
	for _, e := range l.mapping(fields, "fields").members {
		if e.val.node.Kind != yaml.MappingNode {
			continue
		}
		m := new(mapping)
		for i := 0; i+1 < len(e.val.node.Content); i += 2 {
			if k := e.val.node.Content[i]; k.Value == "aliases" {
				m.members = append(m.members, member{name: k.Value, val: value{e.val.src, e.val.node.Content[i+1]}})
			}
		}
		for _, v := range l.items(m, "aliases") {
			name := l.word(v, "an alias")
			if l.aliasFree(v, o, name, taken) {
				o.Aliases = append(o.Aliases, &ir.Alias{Wire: name, Path: []*ir.Field{o.Field(e.name)}})
			}
		}
	}
}

func (l *loader) aliasFree(at value, o *ir.Object, name string, taken map[string]string) bool {
	if what, clash := taken[name]; clash {
		l.errorf(at, "the alias %q is %s of %s already", name, what, o.Wire)
		return false
	}
	taken[name] = "an alias"
	return true
}

func (l *loader) groups(o *ir.Object, m *mapping, name string) [][]*ir.Field {
	var groups [][]*ir.Field
	for _, g := range l.items(m, name) {
		var group []*ir.Field
		for _, v := range l.elements(g, "a group of "+name) {
			f := o.Field(v.node.Value)
			switch {
			case f == nil:
				l.errorf(v, "%s names the field %q, which does not exist", name, v.node.Value)
			case f.Required:
				l.errorf(v, "%s names the field %q, which is required", name, v.node.Value)
			default:
				group = append(group, f)
			}
		}
		groups = append(groups, group)
	}
	return groups
}

// flatAliases reads names that stand for members of nested objects.
func (l *loader) flatAliases(o *ir.Object, v value, taken map[string]string) {
	for _, e := range l.mapping(v, "aliases").members {
		if !l.aliasFree(e.key, o, e.name, taken) {
			continue
		}
		outer, inner, _ := strings.Cut(l.word(e.val, "an alias"), ".")
		f := o.Field(outer)
		if f == nil || f.Type.Base != ir.ObjectRef || f.Type.Object.Field(inner) == nil {
			l.errorf(e.val, "an alias leads to field.member, both existing")
			continue
		}
		o.Aliases = append(o.Aliases, &ir.Alias{Wire: e.name, Path: []*ir.Field{f, f.Type.Object.Field(inner)}})
	}
}
