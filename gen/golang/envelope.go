package golang

import (
	j "github.com/dave/jennifer/jen"

	"github.com/arcpkit/arcp/gen/ir"
)

// emitEnvelope writes the codec of the frame: its encoder in one piece, and in the two halves of a sequenced frame.
func emitEnvelope(f *file, p *ir.Protocol) {
	env := p.Envelope
	f.decl("versionMember is the first member of every frame we write.",
		j.Const().Id("versionMember").Op("=").Add(raw(quoted("arcp")+`"`+p.Version+`"`)))
	emitHead(f, env)
	emitTail(f, env)
	emitPrefix(f, env)
	o := &ir.Object{Meta: env.Meta, Name: ir.Name{Wire: "envelope", Go: "Envelope"}, Fields: env.Fields}
	emitDecoder(f, o)
	emitFrameValidator(f, o)
}

// emitHead writes appendHead, the members before the split.
func emitHead(f *file, env *ir.Envelope) {
	e := encoder{}
	e.lit("{")
	e.flush()
	e.code = append(e.code, j.Id("dst").Op("=").Append(j.Id("dst"), j.Id("versionMember").Op("...")))
	for _, fl := range env.Fields[1:env.Split] {
		if fl.Wire == "type" {
			e.lit("," + quoted(fl.Wire))
			e.value(fl.Wire, fl.Type, false, j.Id("t"))
			continue
		}
		e.member(fl, ",")
	}
	e.flush()
	body := append([]j.Code{j.Var().Id("ok").Bool()}, e.code...)
	f.decl("appendHead appends the members before the split; t is the type.",
		method("Envelope").Id("appendHead").Params(j.Id("dst").Index().Byte(), j.Id("t").Id("MessageType")).
			Params(j.Index().Byte(), j.Error()).Block(append(body, j.Return(j.Id("dst"), j.Nil()))...))
}

// emitTail writes appendTail, the members from the split on.
func emitTail(f *file, env *ir.Envelope) {
	e := encoder{}
	for _, fl := range env.Fields[env.Split:] {
		e.member(fl, ",")
	}
	e.lit("}")
	e.flush()
	body := append([]j.Code{j.Var().Id("ok").Bool(), j.Var().Err().Error()}, e.code...)
	f.decl("appendTail appends the members from the split on, with the comma before them and the brace behind.",
		method("Envelope").Id("appendTail").Params(j.Id("dst").Index().Byte()).
			Params(j.Index().Byte(), j.Error()).Block(append(body, j.Return(j.Id("dst"), j.Nil()))...))
}

// emitPrefix writes the part of a sequenced frame that differs between sessions, and the tail of an event.
func emitPrefix(f *file, env *ir.Envelope) {
	last := env.Fields[env.Split-1]
	text := func(s string) j.Code { return j.Id("dst").Op("=").Append(j.Id("dst"), raw(s).Op("...")) }
	str := func(x j.Code) j.Code {
		return j.List(j.Id("dst"), j.Id("_")).Op("=").Add(jsonx("AppendString")).Call(j.Id("dst"), x)
	}
	f.decl("AppendSequencedPrefix appends a sequenced frame of type t up to the number: the only part that differs "+
		"between the sessions that see it. The number and a tail follow. sessionID must be UTF-8.",
		j.Func().Id("AppendSequencedPrefix").Params(j.Id("dst").Index().Byte(), j.Id("t").Id("MessageType"), j.Id("sessionID").String()).
			Index().Byte().Block(
			j.Id("dst").Op("=").Append(j.Id("dst"), j.Lit("{").Op("+").Id("versionMember").Op("+").Add(raw(","+quoted("type"))).Op("...")),
			str(j.String().Parens(j.Id("t"))), text(","+quoted("session_id")), str(j.Id("sessionID")),
			j.Return(j.Append(j.Id("dst"), raw(","+quoted(last.Wire)).Op("..."))),
		))
	checked := func(wire string, x j.Code) j.Code {
		return j.If(j.List(j.Id("dst"), j.Id("ok")).Op("=").Add(jsonx("AppendString")).Call(j.Id("dst"), x), j.Op("!").Id("ok")).Block(
			j.Return(j.Id("dst"), j.Id("unencodable").Call(j.Lit(wire))))
	}
	f.decl("AppendEventTail appends the tail of the event with the given index in its job's log; its id is jobID.index. "+
		"An empty traceID is left out. It does not allocate.",
		j.Func().Id("AppendEventTail").Params(j.Id("dst").Index().Byte(), j.Id("jobID").String(), j.Id("index").Uint64(),
			j.Id("traceID").String(), j.Id("ev").Op("*").Id("JobEvent")).Params(j.Index().Byte(), j.Error()).Block(
			j.Var().Id("ok").Bool(),
			text(","+quoted("id")),
			checked("job_id", j.Id("jobID")),
			j.Comment("The closing quote gives way to the index."),
			j.Id("dst").Index(j.Len(j.Id("dst")).Op("-").Lit(1)).Op("=").LitRune('.'),
			j.Id("dst").Op("=").Add(jsonx("AppendUint")).Call(j.Id("dst"), j.Id("index")),
			text(`",`+quoted("job_id")),
			checked("job_id", j.Id("jobID")),
			j.If(j.Id("traceID").Op("!=").Lit("")).Block(text(","+quoted("trace_id")), checked("trace_id", j.Id("traceID"))),
			text(","+quoted("payload")),
			j.List(j.Id("dst"), j.Err()).Op(":=").Id("ev").Dot("AppendJSON").Call(j.Id("dst")),
			j.Return(j.Append(j.Id("dst"), j.LitRune('}')), j.Err()),
		))
}

// emitFrameValidator writes the checks of the envelope's own members that follow from their types.
func emitFrameValidator(f *file, o *ir.Object) {
	var body []j.Code
	for _, fl := range o.Fields {
		switch fl.Wire {
		case "arcp", "type", "payload", "extensions":
			continue
		}
		body = append(body, checkField(fl)...)
	}
	f.decl("validateMembers checks each member by itself.", method("Envelope").Id("validateMembers").Params(j.Id("c").Op("*").Id("checker")).Block(body...))
}
