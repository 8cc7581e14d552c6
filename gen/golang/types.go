package golang

import (
	"strings"

	j "github.com/dave/jennifer/jen"

	"github.com/arcpkit/arcp/gen/ir"
)

// typeFile writes the types and constants that come from one spec file, nil if there are none.
func typeFile(p *ir.Protocol, name string) *file {
	f := newFile(area(name), "spec/"+name)
	n := emitTables(f, p, name)
	for _, o := range objectsOf(p, name) {
		emitStruct(f, o)
		n++
	}
	if n == 0 {
		return nil
	}
	return f
}

func emitStruct(f *file, o object) {
	lead, meta := "", o.Meta
	switch {
	case o.message != nil:
		lead = o.Go + " is the payload of " + o.Wire + "."
	case o.kind != nil:
		lead = o.Go + " is the body of the event kind " + o.Wire + "."
	default:
		meta.Doc = named(o.Go, "holds", o.Doc)
	}
	f.decl(docOf(lead, meta), j.Type().Id(o.Go).StructFunc(func(g *j.Group) {
		for _, fl := range o.Fields {
			for _, line := range wrap(fieldDoc(fl), 110) {
				g.Comment(line)
			}
			g.Id(fl.Go).Add(goType(fl))
		}
	}))
	if o.message != nil {
		f.decl("MessageType returns "+o.message.Const+".",
			j.Func().Params(j.Op("*").Id(o.Go)).Id("MessageType").Params().Id("MessageType").Block(j.Return(j.Id(o.message.Const))))
	}
	if o.kind != nil {
		f.decl("EventKind returns "+o.kind.Const+".",
			j.Func().Params(j.Op("*").Id(o.Go)).Id("EventKind").Params().Id("EventKind").Block(j.Return(j.Id(o.kind.Const))))
	}
	if o.HasSecret() {
		emitRedaction(f, o.Object)
	}
}

// emitRedaction makes the struct itself safe to print: what is shown holds no field a later edit could leak.
func emitRedaction(f *file, o *ir.Object) {
	recv := j.Id("v").Id(o.Go)
	f.decl("String names the type only: a field is secret.",
		j.Func().Params(recv).Id("String").Params().String().Block(j.Return(j.Lit(o.Go+"{redacted}"))))
	f.decl("GoString is String.",
		j.Func().Params(recv).Id("GoString").Params().String().Block(j.Return(j.Id("v").Dot("String").Call())))
	f.decl("LogValue is String, for log/slog.",
		j.Func().Params(recv).Id("LogValue").Params().Qual("log/slog", "Value").
			Block(j.Return(j.Qual("log/slog", "StringValue").Call(j.Id("v").Dot("String").Call()))))
}

func fieldDoc(fl *ir.Field) string {
	lead := "Optional. "
	switch {
	case fl.Required:
		lead = ""
	case fl.Written:
		lead = "Always written. "
	case fl.Explicit:
		lead = "Optional, nil when absent. "
	}
	m := fl.Meta
	if m.Section == "" && m.Ours {
		m.Ours = false
		return docOf(lead, m) + " Ours."
	}
	return strings.TrimSpace(docOf(lead, m))
}

// goType is the Go type of a field.
func goType(fl *ir.Field) j.Code {
	switch {
	case fl.Secret:
		return j.Id("Secret")
	case fl.Explicit, fl.Type.Base == ir.ObjectRef && !fl.Required:
		return j.Op("*").Add(elemType(fl.Type))
	default:
		return elemType(fl.Type)
	}
}

// elemType is the Go type of a value of t.
func elemType(t *ir.Type) j.Code {
	switch t.Base {
	case ir.Bool:
		return j.Bool()
	case ir.Int:
		return j.Int64()
	case ir.Uint:
		return j.Uint64()
	case ir.Float:
		return j.Float64()
	case ir.Number:
		return j.Id("Number")
	case ir.Time:
		return j.Qual("time", "Time")
	case ir.Any, ir.RawObject:
		return j.Id("RawJSON")
	case ir.Amount:
		return j.Id("Amount")
	case ir.Lease:
		return j.Id("Lease")
	case ir.EnumBase:
		return j.Id(t.Enum.Go)
	case ir.ObjectRef:
		return j.Id(t.Object.Go)
	case ir.List:
		return j.Index().Add(elemType(t.Elem))
	case ir.Map:
		return j.Map(j.String()).Add(elemType(t.Elem))
	case ir.Body:
		return j.Id("EventBody")
	case ir.Payload:
		return j.Id("Payload")
	default:
		return j.String()
	}
}
