package golang

import (
	j "github.com/dave/jennifer/jen"

	"github.com/arcpkit/arcp/gen/ir"
)

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
