package golang

import (
	j "github.com/dave/jennifer/jen"

	"github.com/arcpkit/arcp/gen/ir"
)

// dispatchFile writes what chooses a Go type by a name on the wire. Calls are direct, never through an interface, so that
// the cursor stays on the stack.
func dispatchFile(p *ir.Protocol) *file {
	f := newFile("dispatch", "spec")
	decoder := j.Id("d").Op("*").Qual(jsonxPath, "Decoder")
	f.decl("decodePayload reads the payload of a message of type t, into prev if that is of the type's Go type.",
		j.Func().Id("decodePayload").Params(decoder.Clone(), j.Id("t").Id("MessageType"), j.Id("prev").Id("Payload")).Id("Payload").Block(
			j.Switch(j.Id("t")).BlockFunc(func(g *j.Group) {
				for _, m := range p.Messages {
					g.Case(j.Id(m.Const)).Block(reuse(&m.Object, newPayload(m))...)
				}
			}),
			j.Return(j.Id("decodeUnknownPayload").Call(j.Id("d"), j.Id("t"))),
		))
	f.decl("decodeBody reads the body of an event of kind k, into prev if that is of the kind's Go type.",
		j.Func().Id("decodeBody").Params(decoder.Clone(), j.Id("k").Id("EventKind"), j.Id("prev").Id("EventBody")).Id("EventBody").Block(
			j.Switch(j.Id("k")).BlockFunc(func(g *j.Group) {
				for _, k := range p.Kinds {
					g.Case(j.Id(k.Const)).Block(reuse(&k.Object, j.New(j.Id(k.Go)))...)
				}
			}),
			j.Return(j.Id("decodeUnknownBody").Call(j.Id("d"), j.Id("k"))),
		))
	var payloads, bodies []string
	for _, m := range p.Messages {
		payloads = append(payloads, m.Go)
	}
	for _, k := range p.Kinds {
		bodies = append(bodies, k.Go)
	}
	emitValidateAny(f, "validatePayload", "Payload", append(payloads, "UnknownMessage"))
	emitValidateAny(f, "validateEventBody", "EventBody", append(bodies, "UnknownBody"))
	emitMarkers(f, p)
	return f
}

// emitValidateAny writes a function that validates whatever type an interface holds; the checker stays on the stack.
func emitValidateAny(f *file, name, iface string, types []string) {
	f.decl("", j.Func().Id(name).Params(j.Id("c").Op("*").Id("checker"), j.Id("x").Id(iface)).Block(
		j.Switch(j.Id("v").Op(":=").Id("x").Assert(j.Type())).BlockFunc(func(g *j.Group) {
			for _, t := range types {
				g.Case(j.Op("*").Id(t)).Block(j.Id("v").Dot("validate").Call(j.Id("c")))
			}
		})))
}

func reuse(o *ir.Object, fresh j.Code) []j.Code {
	return []j.Code{
		j.List(j.Id("v"), j.Id("ok")).Op(":=").Id("prev").Assert(j.Op("*").Id(o.Go)),
		j.If(j.Op("!").Id("ok")).Block(j.Id("v").Op("=").Add(fresh)),
		j.Id("v").Dot("decode").Call(j.Id("d")),
		j.Return(j.Id("v")),
	}
}

func newPayload(m *ir.Message) j.Code {
	for _, fl := range m.Fields {
		if fl.Type.Base == ir.Body {
			return j.Id("new" + m.Go).Call(j.Id("peekKind").Call(j.Id("d")))
		}
	}
	return j.New(j.Id(m.Go))
}

func emitMarkers(f *file, p *ir.Protocol) {
	for _, m := range p.Messages {
		f.decl("", j.Func().Params(j.Op("*").Id(m.Go)).Id("payload").Params().Block())
	}
	for _, k := range p.Kinds {
		f.decl("", j.Func().Params(j.Op("*").Id(k.Go)).Id("eventBody").Params().Block())
	}
}

// combinedFile writes one struct a kind that holds an event and its body, so that a decode allocates once for both.
func combinedFile(p *ir.Protocol) *file {
	f := newFile("combined", "spec")
	for _, m := range p.Messages {
		for _, fl := range m.Fields {
			if fl.Type.Base == ir.Body {
				emitCombined(f, p, m, fl)
				emitPeek(f, newDecoder(&m.Object).chooser)
			}
		}
	}
	return f
}

// emitPeek writes peekKind, which finds the kind where our own encoders write it.
func emitPeek(f *file, chooser *ir.Field) {
	d := func(name string, args ...j.Code) *j.Statement { return j.Id("d").Dot(name).Call(args...) }
	f.decl("peekKind returns the kind of the event that is the next value if it stands first, without reading it.",
		j.Func().Id("peekKind").Params(j.Id("d").Op("*").Qual(jsonxPath, "Decoder")).Id("EventKind").Block(
			j.If(d("Peek").Op("!=").LitRune('{')).Block(j.Return(j.Lit(""))),
			j.Id("at").Op(":=").Add(d("Save")),
			j.Defer().Add(d("Restore", j.Id("at"))),
			j.If(d("OpenObject").Op("&&").Add(d("Member", raw(quoted(chooser.Wire)))).Op("&&").Add(d("Peek")).Op("==").LitRune('"')).Block(
				j.Return(j.Id("EventKind").Call(d("String")))),
			j.Return(j.Lit("")),
		))
}

func emitCombined(f *file, p *ir.Protocol, m *ir.Message, body *ir.Field) {
	f.decl("new"+m.Go+" makes an event together with the body of kind k, which decode then fills.",
		j.Func().Id("new"+m.Go).Params(j.Id("k").Id("EventKind")).Op("*").Id(m.Go).Block(
			j.Switch(j.Id("k")).BlockFunc(func(g *j.Group) {
				for _, k := range p.Kinds {
					g.Case(j.Id(k.Const)).Block(
						j.Id("c").Op(":=").New(j.Struct(j.Id("event").Id(m.Go), j.Id("body").Id(k.Go))),
						j.Id("c").Dot("event").Dot(body.Go).Op("=").Op("&").Id("c").Dot("body"),
						j.Return(j.Op("&").Id("c").Dot("event")),
					)
				}
			}),
			j.Return(j.New(j.Id(m.Go))),
		))
}
