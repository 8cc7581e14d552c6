package golang

import (
	"fmt"
	"strings"

	j "github.com/dave/jennifer/jen"

	"github.com/arcpkit/arcp/gen/ir"
)

// emitValidator writes Validate and the method behind it that takes a checker.
func emitValidator(f *file, o *ir.Object) {
	f.decl("Validate reports every rule that v breaks, as a *ValidationError.",
		method(o.Go).Id("Validate").Params().Error().Block(
			j.Var().Id("c").Id("checker"),
			j.Id("v").Dot("validate").Call(j.Op("&").Id("c")),
			j.Return(j.Id("c").Dot("err").Call()),
		))
	var body []j.Code
	for _, fl := range o.Fields {
		body = append(body, checkField(fl)...)
	}
	for _, g := range o.ExactlyOneOf {
		body = append(body, checkGroup("exactlyOne", g))
	}
	for _, g := range o.AtMostOneOf {
		body = append(body, checkGroup("atMostOne", g))
	}
	f.decl("", method(o.Go).Id("validate").Params(j.Id("c").Op("*").Id("checker")).Block(body...))
}

func checkGroup(method string, g []*ir.Field) j.Code {
	args := []j.Code{}
	var names []string
	for _, fl := range g {
		names = append(names, fl.Wire)
	}
	args = append(args, j.Lit(strings.Join(names, ", ")))
	for _, fl := range g {
		args = append(args, present(fl))
	}
	return j.Id("c").Dot(method).Call(args...)
}

func add(wire, problem string) j.Code { return j.Id("c").Dot("add").Call(j.Lit(wire), j.Lit(problem)) }

// checkField checks one field of v.
func checkField(fl *ir.Field) []j.Code {
	x := j.Id("v").Dot(fl.Go)
	limits := fl.Rules
	if !fl.Required && !fl.Explicit && limits.Min != nil && *limits.Min == 1 {
		// An empty one is absent.
		limits.Min = nil
	}
	rules := checkValue(fl.Wire, fl.Type, limits, fl.OneOf, fl, x)
	mustSet := false
	switch fl.Type.Base {
	case ir.String, ir.EnumBase, ir.Time:
		mustSet = fl.Written || fl.Required && fl.Type.Base != ir.String
	case ir.Body:
		return []j.Code{j.Id("v").Dot("validateBody").Call(j.Id("c"))}
	}
	switch {
	case fl.Required && !mustSet:
		return rules
	case mustSet && len(rules) == 0:
		return []j.Code{j.If(absent(fl)).Block(add(fl.Wire, "is missing"))}
	case mustSet && len(rules) == 1 && len(fl.OneOf) == 0:
		return []j.Code{j.If(absent(fl)).Block(add(fl.Wire, "is missing")).Else().Add(rules[0])}
	case mustSet:
		return []j.Code{j.If(absent(fl)).Block(add(fl.Wire, "is missing")).Else().Block(rules...)}
	case len(rules) == 0:
		return nil
	default:
		return []j.Code{j.If(present(fl)).Block(rules...)}
	}
}

func absent(fl *ir.Field) *j.Statement {
	x := j.Id("v").Dot(fl.Go)
	switch {
	case fl.Type.Base == ir.Time:
		return x.Dot("IsZero").Call()
	case fl.Secret:
		return x.Dot("Reveal").Call().Op("==").Lit("")
	default:
		return x.Op("==").Lit("")
	}
}

// checkValue checks a value that is there. fl is nil for elements of lists.
func checkValue(wire string, t *ir.Type, r ir.Rules, oneOf []*ir.Value, fl *ir.Field, x *j.Statement) []j.Code {
	deref := x.Clone()
	if fl != nil && fl.Explicit {
		deref = j.Op("*").Add(x.Clone())
	}
	if fl != nil && fl.Secret {
		deref = x.Clone().Dot("Reveal").Call()
	}
	switch t.Base {
	case ir.String:
		return append(checkLength(wire, r, "bytes", deref), checkPattern(wire, t, r, deref)...)
	case ir.EnumBase:
		return checkEnum(wire, t, oneOf, deref)
	case ir.Int, ir.Uint, ir.Float:
		return checkRange(wire, t, r, deref)
	case ir.Number:
		return []j.Code{j.Id("c").Dot("number").Call(j.Lit(wire), deref)}
	case ir.Any:
		return []j.Code{j.Id("c").Dot("raw").Call(j.Lit(wire), deref)}
	case ir.RawObject:
		return []j.Code{j.Id("c").Dot("rawObject").Call(j.Lit(wire), deref)}
	case ir.Lease:
		return []j.Code{j.Id("c").Dot("lease").Call(j.Lit(wire), deref)}
	case ir.Map:
		return checkKeys(wire, t, deref)
	case ir.Time:
		if r.UTC {
			return []j.Code{j.Id("c").Dot("utc").Call(j.Lit(wire), deref)}
		}
		return nil
	case ir.ObjectRef:
		return []j.Code{
			j.Id("c").Dot("enter").Call(j.Lit(wire)),
			x.Clone().Dot("validate").Call(j.Id("c")),
			j.Id("c").Dot("leave").Call(),
		}
	case ir.List:
		return append(checkLength(wire, r, "elements", deref), checkElements(wire, t, deref)...)
	default:
		return nil
	}
}

func checkLength(wire string, r ir.Rules, unit string, x *j.Statement) []j.Code {
	var code []j.Code
	if r.Min != nil && *r.Min > 0 {
		problem := fmt.Sprintf("is shorter than %d %s", *r.Min, unit)
		if *r.Min == 1 {
			problem = "is empty"
		}
		code = append(code, j.If(j.Len(x.Clone()).Op("<").Lit(int(*r.Min))).Block(add(wire, problem)))
	}
	if r.Max != nil {
		code = append(code, j.If(j.Len(x.Clone()).Op(">").Lit(int(*r.Max))).Block(
			add(wire, fmt.Sprintf("is longer than %d %s", *r.Max, unit))))
	}
	return code
}

func checkPattern(wire string, t *ir.Type, r ir.Rules, x *j.Statement) []j.Code {
	if r.Pattern == "" {
		return nil
	}
	what := "is not a well-formed " + strings.ReplaceAll(t.Scalar.Wire, "_", " ")
	return []j.Code{j.If(j.Op("!").Id(matcher(t.Scalar)).Call(x.Clone())).Block(add(wire, what))}
}

func checkEnum(wire string, t *ir.Type, oneOf []*ir.Value, x *j.Statement) []j.Code {
	switch {
	case len(oneOf) > 0:
		return []j.Code{j.Switch(x.Clone()).Block(
			j.CaseFunc(func(g *j.Group) {
				for _, v := range oneOf {
					g.Id(v.Const)
				}
			}).Block(),
			j.Default().Block(add(wire, "is none of "+wires(oneOf))))}
	case t.Enum.Vendor:
		return []j.Code{j.If(j.Op("!").Id("c").Dot("kind").Call(x.Clone())).Block(add(wire, "is neither known nor a vendor name"))}
	case t.Enum.Open:
		return nil
	default:
		return []j.Code{j.If(j.Op("!").Add(x.Clone()).Dot("Known").Call()).Block(add(wire, "is none of "+wires(t.Enum.Values)))}
	}
}

func wires(values []*ir.Value) string {
	var names []string
	for _, v := range values {
		names = append(names, v.Wire)
	}
	return strings.Join(names, ", ")
}

func checkRange(wire string, t *ir.Type, r ir.Rules, x *j.Statement) []j.Code {
	var code []j.Code
	if r.Min != nil && r.ExclusMin {
		code = append(code, j.If(x.Clone().Op("<=").Lit(int(*r.Min))).Block(add(wire, fmt.Sprintf("is not above %d", *r.Min))))
	} else if r.Min != nil && (t.Base != ir.Uint || *r.Min > 0) {
		code = append(code, j.If(x.Clone().Op("<").Lit(int(*r.Min))).Block(add(wire, fmt.Sprintf("is below %d", *r.Min))))
	}
	if r.Max != nil {
		code = append(code, j.If(x.Clone().Op(">").Lit(int(*r.Max))).Block(add(wire, fmt.Sprintf("is above %d", *r.Max))))
	}
	return code
}

func checkElements(wire string, t *ir.Type, x *j.Statement) []j.Code {
	elem := x.Clone().Index(j.Id("i"))
	inner := checkValue("", t.Elem, t.Elem.Rules, nil, nil, elem)
	if t.Elem.Base == ir.ObjectRef {
		inner = []j.Code{elem.Clone().Dot("validate").Call(j.Id("c"))}
	}
	if len(inner) == 0 {
		return nil
	}
	body := append([]j.Code{j.Id("c").Dot("enterAt").Call(j.Lit(wire), j.Id("i"))}, inner...)
	body = append(body, j.Id("c").Dot("leave").Call())
	return []j.Code{j.For(j.Id("i").Op(":=").Range().Add(x.Clone())).Block(body...)}
}

func checkKeys(wire string, t *ir.Type, x *j.Statement) []j.Code {
	if t.Key == nil || t.Key.Rules.Pattern == "" {
		return nil
	}
	return []j.Code{j.For(j.Id("key").Op(":=").Range().Add(x.Clone())).Block(
		j.If(j.Op("!").Id(matcher(t.Key)).Call(j.Id("key"))).Block(
			add(wire, "has a key that is not a well-formed "+t.Key.Wire)))}
}
