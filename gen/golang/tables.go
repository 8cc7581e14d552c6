package golang

import (
	j "github.com/dave/jennifer/jen"

	"github.com/arcpkit/arcp/gen/ir"
)

// emitTables writes the constants that come from one spec file and says how many groups there were.
func emitTables(f *file, p *ir.Protocol, name string) int {
	n := 0
	if name == p.Files[0] {
		emitProtocol(f, p)
		n++
	}
	n += emitFeatures(f, p, name) + emitConstants(f, p, name)
	for _, e := range p.Enums {
		if e.File == name {
			emitEnum(f, e)
			n++
		}
	}
	n += emitMessageTypes(f, p, name) + emitKinds(f, p, name) + emitCodes(f, p, name) + emitLimits(f, p, name)
	return n
}

func emitProtocol(f *file, p *ir.Protocol) {
	f.decl("What this package was generated from.", j.Const().Defs(
		j.Comment("Version is the protocol version, the value of the member arcp."),
		j.Id("Version").Op("=").Lit(p.Version),
		j.Comment("SpecDigest is the SHA-256 of the spec files, in hex; builds that agree on it agree on the wire."),
		j.Id("SpecDigest").Op("=").Lit(p.Digest),
	))
}

// constants writes one const block of a string type, and a function that lists its values.
func (f *file) constants(doc, typ string, list string, listDoc string, values []*ir.Value) {
	var defs []j.Code
	for _, v := range values {
		for _, line := range wrap(v.Const+" is "+quoteWire(v.Wire)+". "+v.Doc, 110) {
			defs = append(defs, j.Comment(line))
		}
		def := j.Id(v.Const)
		if typ != "" {
			def = def.Id(typ)
		}
		defs = append(defs, def.Op("=").Lit(v.Wire))
	}
	f.decl(doc, j.Const().Defs(defs...))
	if list == "" {
		return
	}
	elem := typ
	if elem == "" {
		elem = "string"
	}
	f.decl(listDoc, j.Func().Id(list).Params().Index().Id(elem).Block(
		j.Return(j.Index().Id(elem).ValuesFunc(func(g *j.Group) {
			for _, v := range values {
				g.Line().Id(v.Const)
			}
			g.Line()
		}))))
}

func quoteWire(s string) string { return "`" + s + "`" }

func emitFeatures(f *file, p *ir.Protocol, name string) int {
	var values []*ir.Value
	for _, x := range p.Features {
		if x.File == name {
			values = append(values, &ir.Value{Doc: docOf("", x.Meta), Wire: x.Wire, Const: x.Const})
		}
	}
	if len(values) == 0 {
		return 0
	}
	f.decl("Feature names a negotiable part of the protocol. Names we do not know pass through.", j.Type().Id("Feature").String())
	f.constants("The features.", "Feature", "Features", "Features lists the features this package knows.", values)
	return 1
}

func emitConstants(f *file, p *ir.Protocol, name string) int {
	n := 0
	for _, g := range p.Constants {
		if g.File != name {
			continue
		}
		n++
		var values []*ir.Value
		for _, c := range g.Values {
			values = append(values, &ir.Value{Doc: c.Doc, Wire: c.Value, Const: c.Const})
		}
		f.constants(docOf("", g.Meta), "", g.List, g.List+" lists them.", values)
	}
	return n
}

func emitEnum(f *file, e *ir.Enum) {
	meta := e.Meta
	meta.Doc = named(e.Go, "names", e.Doc)
	f.decl(docOf("", meta)+" Decoding takes any text, Validate only these.", j.Type().Id(e.Go).String())
	f.constants("The values of "+e.Go+".", e.Go, "", "", e.Values)
	emitKnown(f, e.Go, e.Values)
}

func emitKnown(f *file, typ string, values []*ir.Value) {
	f.decl("Known reports whether v is one of the constants.", j.Func().Params(j.Id("v").Id(typ)).Id("Known").Params().Bool().Block(
		j.Switch(j.Id("v")).Block(j.CaseFunc(func(g *j.Group) {
			for _, v := range values {
				g.Id(v.Const)
			}
		}).Block(j.Return(j.True()))),
		j.Return(j.False()),
	))
}

func emitMessageTypes(f *file, p *ir.Protocol, name string) int {
	if name != messagesHome(p) {
		return 0
	}
	var values []*ir.Value
	for _, m := range p.Messages {
		values = append(values, &ir.Value{Doc: docOf("", m.Meta), Wire: m.Wire, Const: m.Const})
	}
	emitMembers(f, p.Envelope)
	f.decl("MessageType is the type of an envelope. Types we do not know pass through.", j.Type().Id("MessageType").String())
	f.constants("The message types.", "MessageType", "MessageTypes", "MessageTypes lists the types this package knows.", values)
	return 1
}

// emitMembers names the envelope's members for code that reads or writes frames by hand.
func emitMembers(f *file, env *ir.Envelope) {
	var values []*ir.Value
	for _, fl := range env.Fields {
		values = append(values, &ir.Value{Doc: docOf("", fl.Meta), Wire: fl.Wire, Const: "Member" + fl.Go})
	}
	f.constants("The members of an envelope, in the order they are written.", "", "", "", values)
}

// messagesHome is the spec file whose Go file holds the message types: the envelope's.
func messagesHome(p *ir.Protocol) string { return p.Envelope.File }

func emitKinds(f *file, p *ir.Protocol, name string) int {
	if len(p.Kinds) == 0 || p.Kinds[0].File != name {
		return 0
	}
	var values []*ir.Value
	for _, k := range p.Kinds {
		values = append(values, &ir.Value{Doc: docOf("", k.Meta), Wire: k.Wire, Const: k.Const})
	}
	f.decl("EventKind is the kind of a job event. Vendor kinds and kinds we do not know pass through.", j.Type().Id("EventKind").String())
	f.constants("The event kinds.", "EventKind", "EventKinds", "EventKinds lists the kinds this package knows.", values)
	return 1
}

func emitCodes(f *file, p *ir.Protocol, name string) int {
	var values []*ir.Value
	var retryable, drafts []j.Code
	for _, c := range p.Codes {
		if c.File != name {
			continue
		}
		values = append(values, &ir.Value{Doc: docOf("", c.Meta), Wire: c.Wire, Const: c.Const})
		if c.Retryable {
			retryable = append(retryable, j.Line().Id(c.Const))
		}
		if c.Draft != nil {
			drafts = append(drafts, j.Case(j.Id(c.Const)).Block(j.Return(j.Id(c.Draft.Const))))
		}
	}
	if len(values) == 0 {
		return 0
	}
	f.decl("ErrorCode says what went wrong (§12). Codes we do not know pass through.", j.Type().Id("ErrorCode").String())
	f.constants("The error codes.", "ErrorCode", "ErrorCodes", "ErrorCodes lists the codes this package knows.", values)
	f.decl("Retryable is what the member retryable says of an error with this code unless its sender knows better.",
		j.Func().Params(j.Id("c").Id("ErrorCode")).Id("Retryable").Params().Bool().Block(
			j.Switch(j.Id("c")).BlockFunc(func(g *j.Group) {
				if len(retryable) > 0 {
					g.Case(retryable...).Block(j.Return(j.True()))
				}
			}),
			j.Return(j.False())))
	f.decl("Draft is the code to use with a peer that knows the codes of the draft only.",
		j.Func().Params(j.Id("c").Id("ErrorCode")).Id("Draft").Params().Id("ErrorCode").Block(
			j.Switch(j.Id("c")).Block(drafts...),
			j.Return(j.Id("c"))))
	return 1
}
