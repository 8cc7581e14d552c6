package golang

import (
	j "github.com/dave/jennifer/jen"

	"github.com/arcpkit/arcp/gen/ir"
)

// decoder writes the decoding of one object.
type decoder struct {
	o *ir.Object
	// dynamic is the field whose type another member of the object chooses, nil for none.
	dynamic, chooser *ir.Field
}

func newDecoder(o *ir.Object) *decoder {
	d := &decoder{o: o}
	for _, fl := range o.Fields {
		switch fl.Type.Base {
		case ir.Body:
			d.dynamic, d.chooser = fl, o.Field("kind")
		case ir.Payload:
			d.dynamic, d.chooser = fl, o.Field("type")
		}
	}
	return d
}

func bit(i int) *j.Statement { return j.Lit(1).Op("<<").Lit(i) }

// emitDecoder writes the unexported decode method.
func emitDecoder(f *file, o *ir.Object) {
	d := newDecoder(o)
	var body []j.Code
	if d.dynamic != nil {
		body = append(body, j.Id("prev").Op(":=").Id("v").Dot(d.dynamic.Go))
	}
	if o.Go != "Envelope" {
		body = append(body, j.Op("*").Id("v").Op("=").Id(o.Go).Values())
	}
	body = append(body,
		j.Var().Id("seen").Uint64(),
	)
	if d.wants() {
		body = append(body, j.Id("at").Op(":=").Id("d").Dot("Save").Call())
	}
	if d.flat() {
		body = append(body, j.Var().Id("flat").Uint64())
	}
	if d.dynamic != nil {
		body = append(body, j.Var().Id("later").Qual(jsonxPath, "Mark"))
	}
	body = append(body, d.opening()...)
	// Behind a member that is always written, the next ones follow commas; before it, any may be the first.
	behind := false
	for i, fl := range o.Fields {
		if i > 0 || !always(fl) {
			body = append(body, d.predicted(fl, behind))
		}
		behind = behind || always(fl)
	}
	body = append(body, d.loop())
	if d.dynamic != nil {
		body = append(body, d.deferred())
	}
	body = append(body, d.ending()...)
	f.decl("", method(o.Go).Id("decode").Params(j.Id("d").Op("*").Qual(jsonxPath, "Decoder")).Block(body...))
}

// opening reads the brace, and with it the first member where that is always written.
func (d *decoder) opening() []j.Code {
	open := j.If(j.Op("!").Id("d").Dot("OpenObject").Call()).Block(j.Return())
	if len(d.o.Fields) == 0 || !always(d.o.Fields[0]) {
		return []j.Code{open}
	}
	fl := d.o.Fields[0]
	literal, read := d.literal(fl, "{")
	return []j.Code{j.If(j.Id("d").Dot("OpenWith").Call(literal)).Block(append([]j.Code{d.mark(fl)}, read...)...).Else().Add(open)}
}

// predicted matches a member where our own encoders write it.
func (d *decoder) predicted(fl *ir.Field, behind bool) j.Code {
	if !behind {
		return j.If(j.Id("d").Dot("Member").Call(raw(quoted(fl.Wire)))).Block(append([]j.Code{d.mark(fl)}, d.read(fl)...)...)
	}
	literal, read := d.literal(fl, ",")
	cond := j.Id("seen").Op("!=").Lit(0)
	if fl == d.dynamic {
		cond = j.Id("seen").Op("&").Parens(bit(d.chooser.Index)).Op("!=").Lit(0)
		read = d.choose()
	}
	return j.If(cond.Op("&&").Id("d").Dot("Literal").Call(literal)).Block(append([]j.Code{d.mark(fl)}, read...)...)
}

// literal gives the text to match before a member's value, and what reads the rest: for a text the opening quote is part
// of what is matched, so that null and wrong types are left to the loop.
func (d *decoder) literal(fl *ir.Field, lead string) (j.Code, []j.Code) {
	name := lead + quoted(fl.Wire)
	x := j.Id("v").Dot(fl.Go)
	rest := j.Id("d").Dot("StringRest").Call()
	var set j.Code
	switch {
	case fl.Wire == "arcp":
		return j.Lit(lead).Op("+").Id("versionMember"), nil
	case fl.Explicit:
		return raw(name), d.read(fl)
	case fl.Secret:
		set = j.Id("MakeSecret").Call(rest)
	case fl.Type.Base == ir.String:
		set = rest
	case fl.Type.Base == ir.EnumBase:
		set = j.Id(fl.Type.Enum.Go).Call(rest)
	case fl.Type.Base == ir.Time:
		set = j.Id("d").Dot("TimeRest").Call()
	default:
		return raw(name), d.read(fl)
	}
	code := []j.Code{x.Op("=").Add(set)}
	if d.aliased(fl) {
		code = append(code, j.Id("flat").Op("|=").Add(bit(fl.Index)))
	}
	return raw(name + `"`), code
}

func (d *decoder) mark(fl *ir.Field) j.Code { return j.Id("seen").Op("|=").Add(bit(fl.Index)) }

// choose decodes the dynamic field, its chooser being known.
func (d *decoder) choose() []j.Code {
	function := "decodeBody"
	if d.dynamic.Type.Base == ir.Payload {
		function = "decodePayload"
	}
	return []j.Code{j.Id("v").Dot(d.dynamic.Go).Op("=").Id(function).Call(j.Id("d"), j.Id("v").Dot(d.chooser.Go), j.Id("prev"))}
}

// deferred decodes a dynamic field that stood before its chooser.
func (d *decoder) deferred() j.Code {
	both := j.Parens(bit(d.chooser.Index).Op("|").Add(bit(d.dynamic.Index)))
	cond := j.Id("later").Dot("Offset").Call().Op("!=").Lit(0).Op("&&").Id("seen").Op("&").Add(both).Op("==").Add(both.Clone())
	body := []j.Code{
		j.Id("end").Op(":=").Id("d").Dot("Save").Call(),
		j.Id("d").Dot("Restore").Call(j.Id("later")),
	}
	body = append(body, d.choose()...)
	body = append(body, j.Id("d").Dot("Restore").Call(j.Id("end")))
	return j.If(cond).Block(body...)
}
