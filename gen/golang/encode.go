package golang

import (
	j "github.com/dave/jennifer/jen"

	"github.com/arcpkit/arcp/gen/ir"
)

// encoder collects statements that append to dst, joining neighbouring literals into one append.
type encoder struct {
	code             []j.Code
	literal          string
	fallible, nested bool
}

func (e *encoder) lit(s string) { e.literal += s }

func (e *encoder) flush() {
	if e.literal == "" {
		return
	}
	if len(e.literal) == 1 {
		e.code = append(e.code, j.Id("dst").Op("=").Append(j.Id("dst"), j.LitRune(rune(e.literal[0]))))
	} else {
		e.code = append(e.code, j.Id("dst").Op("=").Append(j.Id("dst"), raw(e.literal).Op("...")))
	}
	e.literal = ""
}

func (e *encoder) stmt(code ...j.Code) {
	e.flush()
	e.code = append(e.code, code...)
}

// text appends a text; its opening quote belongs to the literal before it.
func (e *encoder) text(wire string, x j.Code) {
	e.lit(`"`)
	e.check(wire, jsonx("AppendRest").Call(j.Id("dst"), x))
}

// check appends through a function that returns false for what JSON cannot say.
func (e *encoder) check(wire string, call j.Code) {
	e.fallible = true
	e.stmt(j.If(j.List(j.Id("dst"), j.Id("ok")).Op("=").Add(call), j.Op("!").Id("ok")).Block(
		j.Return(j.Id("dst"), j.Id("unencodable").Call(j.Lit(wire)))))
}

// object appends through the method of a nested object.
func (e *encoder) object(wire string, recv *j.Statement) {
	e.nested = true
	e.stmt(j.If(j.List(j.Id("dst"), j.Err()).Op("=").Add(recv).Dot("AppendJSON").Call(j.Id("dst")), j.Err().Op("!=").Nil()).Block(
		j.Return(j.Id("dst"), j.Id("within").Call(j.Lit(wire), j.Err()))))
}

// value appends the value of an expression.
func (e *encoder) value(wire string, t *ir.Type, secret bool, x *j.Statement) {
	dst := j.Id("dst")
	switch t.Base {
	case ir.String, ir.EnumBase:
		text := x.Clone()
		if secret {
			text = x.Clone().Dot("Reveal").Call()
		} else if t.Base == ir.EnumBase {
			text = j.String().Parens(x.Clone())
		}
		e.text(wire, text)
	case ir.Bool:
		e.stmt(j.Id("dst").Op("=").Add(jsonx("AppendBool")).Call(dst, x))
	case ir.Int:
		e.stmt(j.Id("dst").Op("=").Add(jsonx("AppendInt")).Call(dst, x))
	case ir.Uint:
		e.stmt(j.Id("dst").Op("=").Add(jsonx("AppendUint")).Call(dst, x))
	case ir.Float:
		e.check(wire, jsonx("AppendFloat").Call(dst, x))
	case ir.Time:
		e.check(wire, jsonx("AppendTime").Call(dst, x))
	case ir.Number:
		e.check(wire, j.Id("appendNumber").Call(dst, x))
	case ir.Any, ir.RawObject:
		e.stmt(j.Id("dst").Op("=").Append(dst, x.Clone().Op("...")))
	case ir.Lease:
		e.check(wire, j.Id("appendLease").Call(dst, x))
	case ir.Map:
		e.check(wire, j.Id("appendAmounts").Call(dst, x))
	case ir.ObjectRef:
		e.object(wire, x)
	case ir.Body, ir.Payload:
		e.object(wire, x)
	case ir.List:
		e.list(wire, t, x)
	}
}

func (e *encoder) list(wire string, t *ir.Type, x *j.Statement) {
	e.lit("[")
	e.flush()
	inner := encoder{}
	inner.value(wire, t.Elem, false, x.Clone().Index(j.Id("i")))
	inner.flush()
	e.fallible, e.nested = e.fallible || inner.fallible, e.nested || inner.nested
	body := append([]j.Code{j.If(j.Id("i").Op(">").Lit(0)).Block(j.Id("dst").Op("=").Append(j.Id("dst"), j.LitRune(',')))}, inner.code...)
	e.stmt(j.For(j.Id("i").Op(":=").Range().Add(x.Clone())).Block(body...))
	e.lit("]")
}

// member appends one member of v; separator is what stands before its name.
func (e *encoder) member(fl *ir.Field, separator string) {
	x := j.Id("v").Dot(fl.Go)
	name := separator + quoted(fl.Wire)
	if always(fl) {
		e.lit(name)
		e.value(fl.Wire, fl.Type, fl.Secret, x)
		return
	}
	inner := encoder{}
	inner.lit(name)
	if fl.Explicit {
		inner.value(fl.Wire, fl.Type, fl.Secret, j.Op("*").Add(x.Clone()))
	} else {
		inner.value(fl.Wire, fl.Type, fl.Secret, x)
	}
	inner.flush()
	e.fallible, e.nested = e.fallible || inner.fallible, e.nested || inner.nested
	branch := j.If(present(fl)).Block(inner.code...)
	if fl.WriteNull {
		branch = branch.Else().Block(j.Id("dst").Op("=").Append(j.Id("dst"), raw(name+"null").Op("...")))
	}
	e.stmt(branch)
}

// always says whether a member is written whatever its value.
func always(fl *ir.Field) bool {
	if fl.Required {
		return true
	}
	if !fl.Written {
		return false
	}
	switch fl.Type.Base {
	case ir.Bool, ir.Int, ir.Uint, ir.Float, ir.List, ir.Map, ir.Lease:
		return true
	default:
		return false
	}
}

// present is the condition under which an optional field of v has a value.
func present(fl *ir.Field) *j.Statement {
	x := j.Id("v").Dot(fl.Go)
	if fl.Explicit {
		return x.Op("!=").Nil()
	}
	switch fl.Type.Base {
	case ir.String:
		if fl.Secret {
			return x.Dot("Reveal").Call().Op("!=").Lit("")
		}
		return x.Op("!=").Lit("")
	case ir.EnumBase, ir.Number:
		return x.Op("!=").Lit("")
	case ir.Bool:
		return x
	case ir.Int, ir.Uint, ir.Float:
		return x.Op("!=").Lit(0)
	case ir.Time:
		return j.Op("!").Add(x).Dot("IsZero").Call()
	case ir.List, ir.Map:
		return j.Len(x).Op("!=").Lit(0)
	default:
		return x.Op("!=").Nil()
	}
}

// emitEncoder writes AppendJSON. A struct whose first member may be absent writes a comma before each member and turns
// the first into the brace.
func emitEncoder(f *file, o *ir.Object) {
	e := encoder{}
	anchored := len(o.Fields) > 0 && always(o.Fields[0])
	if !anchored {
		e.code = append(e.code, j.Id("at").Op(":=").Len(j.Id("dst")))
	}
	d := newDecoder(o)
	if d.dynamic != nil {
		e.code = append(e.code, j.If(j.Id("v").Dot(d.dynamic.Go).Op("==").Nil()).Block(
			j.Return(j.Id("dst"), j.Id("missingValue").Call(j.Lit(d.dynamic.Wire)))))
	}
	for i, fl := range o.Fields {
		separator := ","
		if i == 0 && anchored {
			separator = "{"
		}
		if d.chooser == fl {
			// The value says what it is; a field beside it could only disagree.
			e.lit(separator + quoted(fl.Wire))
			e.value(fl.Wire, fl.Type, false, j.Id("v").Dot(d.dynamic.Go).Dot("EventKind").Call())
			continue
		}
		e.member(fl, separator)
	}
	if anchored {
		e.lit("}")
		e.flush()
	} else {
		e.stmt(j.If(j.Len(j.Id("dst")).Op("==").Id("at")).Block(j.Return(j.Append(j.Id("dst"), j.Lit("{}").Op("...")), j.Nil())))
		e.stmt(j.Id("dst").Index(j.Id("at")).Op("=").LitRune('{'))
		e.lit("}")
		e.flush()
	}
	var vars []j.Code
	if e.fallible {
		vars = append(vars, j.Var().Id("ok").Bool())
	}
	if e.nested {
		vars = append(vars, j.Var().Err().Error())
	}
	body := append(append(vars, e.code...), j.Return(j.Id("dst"), j.Nil()))
	f.decl("AppendJSON appends v as a JSON object. Text that is not UTF-8 is an error, dst then holds a part of the object.",
		method(o.Go).Id("AppendJSON").Params(j.Id("dst").Index().Byte()).Params(j.Index().Byte(), j.Error()).Block(body...))
}
