package vectors

import "github.com/arcpkit/arcp/gen/ir"

// generator remembers which shared objects were spoiled already.
type generator struct {
	p       *ir.Protocol
	done    map[*ir.Object]bool
	legible bool // samples are for readers
}

// frame puts a payload into an envelope fit for its type.
func (g *generator) frame(m *ir.Message, payload text) object {
	o := object{{"arcp", text(quote(g.p.Version))}, {"type", text(quote(m.Wire))}}
	if !m.Handshake || m.From == ir.FromRuntime {
		o = append(o, member{"session_id", `"s1"`})
	}
	if m.Sequenced {
		o = append(o, member{"event_seq", "7"})
	}
	o = append(o, member{"id", `"m1"`})
	if m.JobScoped {
		o = append(o, member{"job_id", `"j1"`})
	}
	return append(o, member{"payload", payload})
}

func (g *generator) message(m *ir.Message) []vector {
	var out []vector
	for _, c := range g.changes(&m.Object) {
		out = append(out, vector{m.Wire + ": " + c.name, g.frame(m, c.object).text(), c.valid, c.layers})
	}
	base := g.frame(m, g.minimal(&m.Object).text())
	out = append(out, vector{m.Wire + ": payload before type", base.reversed().text(), true, nil})
	if m.JobScoped {
		out = append(out, vector{m.Wire + ": no job_id in the envelope", base.without("job_id").text(), false, rule()})
	}
	if m.Sequenced {
		out = append(out, vector{m.Wire + ": no event_seq", base.without("event_seq").text(), false, rule()})
	} else {
		out = append(out, vector{m.Wire + ": event_seq out of place", base.set("event_seq", "7").text(), false, rule()})
	}
	if m.From == ir.FromRuntime {
		out = append(out, vector{m.Wire + ": no session_id", base.without("session_id").text(), false, rule()})
	}
	return out
}

func (g *generator) kind(k *ir.Kind) []vector {
	event := Event(g.p)
	if event == nil {
		return nil
	}
	var out []vector
	for _, c := range g.changes(&k.Object) {
		payload := g.eventPayload(event, k.Wire, c.object)
		out = append(out, vector{k.Wire + ": " + c.name, g.frame(event, payload.text()).text(), c.valid, c.layers})
	}
	body := g.minimal(&k.Object).text()
	reversed := g.eventPayload(event, k.Wire, body).reversed()
	return append(out, vector{k.Wire + ": body before kind", g.frame(event, reversed.text()).reversed().text(), true, nil})
}

func (g *generator) envelope() []vector {
	e := &ir.Object{Meta: g.p.Envelope.Meta, Fields: g.p.Envelope.Fields}
	m := g.p.Messages[0]
	base := g.frame(m, g.minimal(&m.Object).text())
	var out []vector
	for _, f := range e.Fields {
		for _, c := range g.fieldChanges(e, base, f) {
			out = append(out, vector{"envelope: " + c.name, c.object, c.valid, c.layers})
		}
	}
	return append(out,
		vector{"envelope: unknown member", base.set("unknown", `[{"a": null}]`).text(), true, nil},
		vector{"envelope: unknown type", base.set("type", `"session.unheard_of"`).text(), true, nil},
		vector{"envelope: extension without a vendor", base.set("extensions", `{"trace": {}}`).text(), false, rule()},
		vector{"envelope: name in another case", base.without("id").set("ID", `"m1"`).text(), false, shape()})
}

func hasBody(m *ir.Message) bool {
	for _, f := range m.Fields {
		if f.Type.Base == ir.Body {
			return true
		}
	}
	return false
}

func (g *generator) eventPayload(event *ir.Message, kind string, body text) object {
	o := g.minimal(&event.Object).set("kind", text(quote(kind)))
	for _, f := range event.Fields {
		if f.Type.Base == ir.Body {
			o = o.set(f.Wire, body)
		}
	}
	return o
}
