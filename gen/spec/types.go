package spec

import (
	"encoding/json"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"

	"github.com/arcpkit/arcp/gen/ir"
)

// builtin is a type the spec may name without defining it.
func builtin(name string) (ir.Base, bool) {
	switch name {
	case "string", "version":
		return ir.String, true
	case "bool":
		return ir.Bool, true
	case "int":
		return ir.Int, true
	case "uint":
		return ir.Uint, true
	case "float":
		return ir.Float, true
	case "number":
		return ir.Number, true
	case "time":
		return ir.Time, true
	case "any":
		return ir.Any, true
	case "object", "extensions":
		return ir.RawObject, true
	case "amount":
		return ir.Amount, true
	case "lease":
		return ir.Lease, true
	case "payload":
		return ir.Payload, true
	case "body":
		return ir.Body, true
	}
	return 0, false
}

// defineType registers a type name unless it is taken.
func (l *loader) defineType(e member, define func()) {
	_, isBuiltin := builtin(e.name)
	if isBuiltin || l.enums[e.name] != nil || l.scalars[e.name] != nil || l.objects[e.name] != nil {
		l.errorf(e.key, "there is a type %q already", e.name)
		return
	}
	define()
}

func (l *loader) readScalars(v value) {
	for _, e := range l.mapping(v, "scalars").members {
		m := l.record(e.val, "a scalar", "doc", "section", "ours", "type", "min", "max", "above", "pattern", "utc", "example")
		s := &ir.Scalar{Meta: l.meta(e, m, true), Name: l.name(e), Example: l.text(m, "example")}
		base, ok := builtin(l.text(m, "type"))
		switch {
		case !ok:
			l.errorf(e.key, "scalar %s must be of a built-in type", e.name)
			continue
		case base > ir.Time:
			l.errorf(e.key, "scalar %s must be a string, a number or a time", e.name)
		}
		s.Base = base
		s.Rules = l.rules(e, m, base)
		l.checkExample(e, m, s)
		l.defineType(e, func() { l.scalars[e.name] = s })
		l.protocol.Scalars = append(l.protocol.Scalars, s)
	}
}

// rules reads what limits a value and checks that it makes sense for its base.
func (l *loader) rules(e member, m *mapping, base ir.Base) ir.Rules {
	r := ir.Rules{Min: l.bound(m, "min"), Max: l.bound(m, "max"), Pattern: l.text(m, "pattern"), UTC: l.flag(m, "utc")}
	if above := l.bound(m, "above"); above != nil {
		if r.Min != nil {
			l.errorf(e.key, "%s has both min and above", e.name)
		}
		r.Min, r.ExclusMin = above, true
	}
	if r.Min != nil && r.Max != nil && *r.Min > *r.Max && m.has("min") {
		v, _ := m.get("min")
		l.errorf(v, "min %d is above max %d", *r.Min, *r.Max)
	}
	if v, ok := m.get("pattern"); ok {
		if base != ir.String {
			l.errorf(v, "only a string can have a pattern")
		} else if _, err := regexp.Compile(r.Pattern); err != nil {
			l.errorf(v, "bad pattern: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		} else if !asciiOnly(r.Pattern) {
			l.errorf(v, "a pattern must match ASCII only: no dot, no negated class")
		} else if !strings.HasPrefix(r.Pattern, "^") || !strings.HasSuffix(r.Pattern, "$") {
			l.errorf(v, "a pattern must begin with ^ and end with $")
		}
	}
	bounded := base == ir.String || base == ir.Int || base == ir.Uint || base == ir.Float || base == ir.List || base == ir.Map
	if (r.Min != nil || r.Max != nil) && !bounded {
		l.errorf(e.key, "%s is of a type that has no min or max", e.name)
	}
	if r.UTC && base != ir.Time {
		l.errorf(e.key, "only a time can be utc")
	}
	return r
}

// asciiOnly says whether a pattern that compiles matches ASCII text only: the generated matchers work on bytes.
func asciiOnly(pattern string) bool {
	re, err := syntax.Parse(pattern, syntax.Perl)
	return err == nil && asciiTree(re)
}

func asciiTree(re *syntax.Regexp) bool {
	if re.Op == syntax.OpAnyChar || re.Op == syntax.OpAnyCharNotNL {
		return false
	}
	for _, r := range re.Rune {
		if r > unicode.MaxASCII {
			return false
		}
	}
	for _, sub := range re.Sub {
		if !asciiTree(sub) {
			return false
		}
	}
	return true
}

// bound reads a whole number, or the name of a limit for its default.
func (l *loader) bound(m *mapping, name string) *int64 {
	v, ok := m.get(name)
	if !ok {
		return nil
	}
	for _, x := range l.protocol.Limits {
		if x.Wire == v.node.Value {
			return &x.Default
		}
	}
	return l.integer(m, name)
}

func (l *loader) checkExample(e member, m *mapping, s *ir.Scalar) {
	v, ok := m.get("example")
	if !ok {
		if s.Rules.Pattern != "" {
			l.errorf(e.key, "scalar %s has a pattern and needs an example", e.name)
		}
		return
	}
	var x any
	if err := json.Unmarshal([]byte(s.Example), &x); err != nil {
		l.errorf(v, "the example must be JSON text")
		return
	}
	pattern, err := regexp.Compile(s.Rules.Pattern)
	if text, ok := x.(string); ok && err == nil && !pattern.MatchString(text) {
		l.errorf(v, "the example does not match the pattern")
	}
}

// typeOf resolves a type expression: a name, []type or map[scalar]type.
func (l *loader) typeOf(at value, expr string) *ir.Type {
	if rest, ok := strings.CutPrefix(expr, "[]"); ok {
		elem := l.typeOf(at, rest)
		if elem.Base != ir.String && elem.Base != ir.EnumBase && elem.Base != ir.ObjectRef && elem.Base != ir.Any {
			l.errorf(at, "a list holds strings, enums or objects")
		}
		return &ir.Type{Base: ir.List, Elem: elem}
	}
	if rest, ok := strings.CutPrefix(expr, "map["); ok {
		key, elem, ok := strings.Cut(rest, "]")
		if !ok || l.scalars[key] == nil || l.scalars[key].Base != ir.String {
			l.errorf(at, "a map is written map[scalar]type, the scalar a string")
			return &ir.Type{Base: ir.Any}
		}
		if elem != "amount" {
			l.errorf(at, "a map holds amounts")
		}
		return &ir.Type{Base: ir.Map, Key: l.scalars[key], Elem: &ir.Type{Base: ir.Amount}}
	}
	if base, ok := builtin(expr); ok {
		return &ir.Type{Base: base}
	}
	if s := l.scalars[expr]; s != nil {
		return &ir.Type{Base: s.Base, Scalar: s, Rules: s.Rules}
	}
	if e := l.enums[expr]; e != nil {
		return &ir.Type{Base: ir.EnumBase, Enum: e}
	}
	if o := l.objects[expr]; o != nil {
		return &ir.Type{Base: ir.ObjectRef, Object: o}
	}
	// A missing type expression was reported where it is missing.
	if expr != "" {
		l.errorf(at, "there is no type %q", expr)
	}
	return &ir.Type{Base: ir.Any}
}
