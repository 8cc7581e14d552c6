package spec

import "github.com/arcpkit/arcp/gen/ir"

func (l *loader) readObjects(v value) {
	for _, e := range l.mapping(v, "objects").members {
		m := l.record(e.val, "an object", "doc", "section", "ours", "aliases", "exactly_one_of", "at_most_one_of", "fields")
		o := &ir.Object{Meta: l.meta(e, m, true), Name: l.name(e)}
		l.claim(o.Go, e.key)
		l.defineType(e, func() { l.objects[e.name] = o })
		l.protocol.Objects = append(l.protocol.Objects, o)
		l.objectAt[o] = e.key
		l.later = append(l.later, func() { l.fields(o, e, m) })
	}
}

func (l *loader) readMessages(v value) {
	for _, e := range l.mapping(v, "messages").members {
		m := l.record(e.val, "a message", "doc", "section", "ours", "from", "reply", "feature", "job_scoped", "sequenced",
			"handshake", "aliases", "exactly_one_of", "at_most_one_of", "fields")
		x := &ir.Message{
			Object: ir.Object{Meta: l.meta(e, m, true), Name: l.name(e)}, From: l.side(e, m), Feature: l.feature(m),
			JobScoped: l.flag(m, "job_scoped"), Sequenced: l.flag(m, "sequenced"), Handshake: l.flag(m, "handshake"),
		}
		x.Const = "Type" + x.Go
		if l.messages[e.name] != nil {
			l.errorf(e.key, "message %q stands twice", e.name)
			continue
		}
		l.claim(x.Go, e.key)
		l.claim(x.Const, e.key)
		if x.Sequenced && !x.JobScoped {
			l.errorf(e.key, "%s is sequenced and must be job_scoped", e.name)
		}
		l.messages[e.name] = x
		l.protocol.Messages = append(l.protocol.Messages, x)
		types := l.enums["message_type"]
		types.Values = append(types.Values, &ir.Value{Doc: x.Doc, Wire: x.Wire, Const: x.Const})
		l.later = append(l.later, func() { l.fields(&x.Object, e, m); l.reply(x, m) })
	}
}

func (l *loader) side(e member, m *mapping) ir.Side {
	v, ok := m.get("from")
	if !ok {
		l.errorf(e.key, "%s does not say whom it is from", e.name)
		return ir.FromBoth
	}
	s := ir.Side(v.node.Value)
	if s != ir.FromClient && s != ir.FromRuntime && s != ir.FromBoth {
		l.errorf(v, "from must be client, runtime or both")
	}
	return s
}

func (l *loader) reply(x *ir.Message, m *mapping) {
	v, ok := m.get("reply")
	if !ok {
		return
	}
	x.Reply = l.messages[v.node.Value]
	switch {
	case x.Reply == nil:
		l.errorf(v, "the reply %q is no message", v.node.Value)
	case x.From != ir.FromBoth && x.Reply.From == x.From:
		l.errorf(v, "the reply %s comes from the side that asked", x.Reply.Wire)
	}
}

func (l *loader) readKinds(v value) {
	kinds := l.enums["event_kind"]
	for _, e := range l.mapping(v, "kinds").members {
		m := l.record(e.val, "a kind", "doc", "section", "ours", "feature", "runtime_only", "exactly_one_of", "at_most_one_of", "fields")
		k := &ir.Kind{
			Object:  ir.Object{Meta: l.meta(e, m, true), Name: l.name(e)},
			Feature: l.feature(m), RuntimeOnly: l.flag(m, "runtime_only"),
		}
		k.Const = "Kind" + k.Go
		k.Go += "Body"
		l.claim(k.Go, e.key)
		l.claim(k.Const, e.key)
		l.protocol.Kinds = append(l.protocol.Kinds, k)
		kinds.Values = append(kinds.Values, &ir.Value{Doc: k.Doc, Wire: k.Wire, Const: k.Const})
		l.later = append(l.later, func() { l.fields(&k.Object, e, m) })
	}
}

func (l *loader) readEnvelope(v value) {
	e := member{name: "envelope", key: v, val: v}
	m := l.record(v, "the envelope", "doc", "section", "ours", "split", "fields")
	if l.protocol.Envelope != nil {
		l.errorf(v, "the envelope stands twice")
		return
	}
	env := &ir.Envelope{Meta: l.meta(e, m, true)}
	l.protocol.Envelope, l.envelopeAt = env, v
	l.later = append(l.later, func() {
		o := &ir.Object{Name: ir.Name{Wire: "envelope", Go: "Envelope"}}
		l.fields(o, e, m)
		env.Fields = o.Fields
		for _, f := range o.Fields {
			l.claim("Member"+f.Go, v)
		}
		split := o.Field(l.text(m, "split"))
		if split == nil {
			l.errorf(v, "split must name a field of the envelope")
			return
		}
		env.Split = split.Index
	})
}
