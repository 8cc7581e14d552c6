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
		j.Id("at").Op(":=").Id("d").Dot("Save").Call(),
		j.Var().Id("seen").Uint64(),
	)
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

// read reads the value of a field of v. For an optional field null is absence.
func (d *decoder) read(fl *ir.Field) []j.Code {
	if fl.Wire == "arcp" {
		return []j.Code{j.Id("decodeVersion").Call(j.Id("d"))}
	}
	code := readInto(fl, j.Id("v").Dot(fl.Go))
	if d.aliased(fl) {
		code = append([]j.Code{j.Id("flat").Op("|=").Add(bit(fl.Index))}, code...)
	}
	if fl.Required || fl.Type.Nullable() {
		return code
	}
	return []j.Code{j.If(j.Op("!").Id("d").Dot("Null").Call()).Block(code...)}
}

func readInto(fl *ir.Field, x *j.Statement) []j.Code {
	set := func(v j.Code) []j.Code { return []j.Code{x.Clone().Op("=").Add(v)} }
	switch {
	case fl.Type.Base == ir.ObjectRef && !fl.Required:
		return []j.Code{x.Clone().Op("=").New(j.Id(fl.Type.Object.Go)), x.Clone().Dot("decode").Call(j.Id("d"))}
	case fl.Type.Base == ir.ObjectRef:
		return []j.Code{x.Clone().Dot("decode").Call(j.Id("d"))}
	case fl.Explicit:
		return set(j.New(readValue(fl.Type)))
	case fl.Secret:
		return set(j.Id("MakeSecret").Call(readValue(fl.Type)))
	case fl.Lone:
		return set(j.Id("decodeLone").Index(elemType(fl.Type.Elem)).Call(j.Id("d")))
	default:
		return set(readValue(fl.Type))
	}
}

// readValue is the expression that reads a value of t.
func readValue(t *ir.Type) *j.Statement {
	d := j.Id("d")
	switch t.Base {
	case ir.Bool:
		return d.Dot("Bool").Call()
	case ir.Int:
		return d.Dot("Int").Call()
	case ir.Uint:
		return d.Dot("Uint").Call()
	case ir.Float:
		return d.Dot("Float").Call()
	case ir.Number:
		return j.Id("Number").Call(d.Dot("Number").Call())
	case ir.Time:
		return d.Dot("Time").Call()
	case ir.Any:
		return d.Dot("Raw").Call()
	case ir.RawObject:
		return d.Dot("RawObject").Call()
	case ir.Lease:
		return j.Id("decodeLease").Call(d)
	case ir.Map:
		return j.Id("decodeAmounts").Call(d)
	case ir.EnumBase:
		return j.Id(t.Enum.Go).Call(d.Dot("String").Call())
	case ir.List:
		if t.Elem.Base == ir.ObjectRef {
			return j.Id(listDecoder(t.Elem.Object)).Call(d)
		}
		return j.Id("decodeTexts").Index(elemType(t.Elem)).Call(d)
	default:
		return d.Dot("String").Call()
	}
}

func listDecoder(o *ir.Object) string { return "decode" + o.Go + "List" }

func emitListDecoder(f *file, o *ir.Object) {
	f.decl("", j.Func().Id(listDecoder(o)).Params(j.Id("d").Op("*").Qual(jsonxPath, "Decoder")).Index().Id(o.Go).Block(
		j.If(j.Op("!").Id("d").Dot("OpenArray").Call()).Block(j.Return(j.Nil())),
		j.Id("list").Op(":=").Make(j.Index().Id(o.Go), j.Lit(0), j.Lit(4)),
		j.For(j.Id("d").Dot("NextElement").Call()).Block(
			j.Id("list").Op("=").Append(j.Id("list"), j.Id(o.Go).Values()),
			j.Id("list").Index(j.Len(j.Id("list")).Op("-").Lit(1)).Dot("decode").Call(j.Id("d")),
		),
		j.Return(j.Id("list")),
	))
}

// loop reads members in any order.
func (d *decoder) loop() j.Code {
	var cases []j.Code
	for _, fl := range d.o.Fields {
		body := []j.Code{d.once(fl.Index)}
		if fl == d.dynamic {
			body = append(body, j.Id("later").Op("=").Id("d").Dot("Save").Call(), j.Id("d").Dot("Skip").Call())
		} else {
			body = append(body, d.read(fl)...)
		}
		cases = append(cases, j.Case(j.Lit(fl.Wire)).Block(body...))
	}
	for i, a := range d.o.Aliases {
		cases = append(cases, j.Case(j.Lit(a.Wire)).Block(d.alias(len(d.o.Fields)+i, a)...))
	}
	known := []j.Code{j.Id("d"), j.Id("key")}
	for _, fl := range d.o.Fields {
		known = append(known, j.Lit(fl.Wire))
	}
	for _, a := range d.o.Aliases {
		known = append(known, j.Lit(a.Wire))
	}
	cases = append(cases, j.Default().Block(j.Id("unknown").Call(known...)))
	loop := j.For(j.List(j.Id("key"), j.Id("ok")).Op(":=").Id("d").Dot("NextKey").Call(), j.Id("ok"),
		j.List(j.Id("key"), j.Id("ok")).Op("=").Id("d").Dot("NextKey").Call()).Block(j.Switch(j.Id("key")).Block(cases...))
	return j.If(j.Id("seen").Op("==").Lit(0).Op("||").Op("!").Id("d").Dot("Close").Call()).Block(loop)
}

// once refuses a member that was there before, and marks it.
func (d *decoder) once(i int) j.Code {
	return j.If(j.Op("!").Id("first").Call(j.Id("d"), j.Op("&").Id("seen"), bit(i))).Block(j.Return())
}

// alias reads a member under another name. The real name wins wherever it stands: what an alias gave is overwritten.
func (d *decoder) alias(i int, a *ir.Alias) []j.Code {
	body := []j.Code{d.once(i)}
	outer := a.Path[0]
	x := j.Id("v").Dot(outer.Go)
	read := []j.Code{j.Id("flat").Op("|=").Add(bit(i))}
	if len(a.Path) == 2 {
		if !outer.Required {
			read = append(read, j.If(x.Clone().Op("==").Nil()).Block(x.Clone().Op("=").New(j.Id(outer.Type.Object.Go))))
		}
		read = append(read, readInto(a.Path[1], x.Clone().Dot(a.Path[1].Go))...)
	} else {
		read = append(read, readInto(outer, x)...)
	}
	return append(body, j.Switch().Block(
		j.Case(j.Id("flat").Op("&").Parens(bit(outer.Index)).Op("!=").Lit(0)).Block(j.Id("d").Dot("Skip").Call()),
		j.Case(j.Op("!").Id("d").Dot("Null").Call()).Block(read...),
	))
}

// aliased says whether an alias leads to fl. The variable flat then has fl's own bit when its value came by its own name,
// and the bit of each alias a value came by.
func (d *decoder) aliased(fl *ir.Field) bool {
	for _, a := range d.o.Aliases {
		if a.Path[0] == fl {
			return true
		}
	}
	return false
}

func (d *decoder) flat() bool { return len(d.o.Aliases) > 0 }

// ending reports the required members that are missing, all at once.
func (d *decoder) ending() []j.Code {
	var code []j.Code
	for _, fl := range d.o.Fields {
		code = append(code, d.aliasPresence(fl)...)
	}
	var required *j.Statement
	var names []j.Code
	for _, fl := range d.o.Fields {
		if !fl.Required {
			continue
		}
		if required == nil {
			required = bit(fl.Index)
		} else {
			required = required.Op("|").Add(bit(fl.Index))
		}
		names = append(names, j.Lit(fl.Wire))
	}
	if required == nil {
		return append(code, j.Id("_").Op("=").Id("at"))
	}
	return append(code, j.If(j.Id("missing").Op(":=").Parens(required).Op("&^").Id("seen"), j.Id("missing").Op("!=").Lit(0)).Block(
		j.Id("reportMissing").Call(append([]j.Code{j.Id("d"), j.Id("at"), j.Id("missing"), j.Parens(required.Clone())}, names...)...)))
}

// aliasPresence lets aliases stand for the field they lead to; the required members of a flat object are wanted then.
func (d *decoder) aliasPresence(fl *ir.Field) []j.Code {
	var all *j.Statement
	var needed []j.Code
	for i, a := range d.o.Aliases {
		if a.Path[0] != fl {
			continue
		}
		b := bit(len(d.o.Fields) + i)
		if all == nil {
			all = b
		} else {
			all = all.Op("|").Add(b)
		}
		if len(a.Path) == 2 && a.Path[1].Required {
			needed = append(needed, j.If(j.Id("flat").Op("&").Parens(bit(len(d.o.Fields)+i)).Op("==").Lit(0)).Block(
				j.Id("d").Dot("Missing").Call(j.Id("at"), j.Lit(a.Wire))))
		}
	}
	if all == nil {
		return nil
	}
	cond := j.Id("flat").Op("&").Parens(bit(fl.Index)).Op("==").Lit(0).Op("&&").Id("flat").Op("&").Parens(all).Op("!=").Lit(0)
	return []j.Code{j.If(cond).Block(append([]j.Code{d.mark(fl)}, needed...)...)}
}
