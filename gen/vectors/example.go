package vectors

import (
	"strings"

	"github.com/arcpkit/arcp/gen/ir"
)

// Example returns a frame of m for readers, over several lines and with every member that it may have; "…" stands for any text.
// Of an event the body is that of kind, which is nil for other messages.
func Example(p *ir.Protocol, m *ir.Message, kind *ir.Kind) string {
	g := &generator{p: p, legible: true}
	payload := g.full(&m.Object)
	if kind != nil {
		payload = g.eventPayload(m, kind.Wire, g.full(&kind.Object).text())
	}
	frame := g.frame(m, "")
	head := frame.without("payload").text()
	return strings.TrimSuffix(string(head), "}") + ", \"payload\": {\n" + payload.lines() + "}}\n"
}

// Event returns the message that carries bodies of kinds, nil when there is none.
func Event(p *ir.Protocol) *ir.Message {
	for _, m := range p.Messages {
		if hasBody(m) {
			return m
		}
	}
	return nil
}

// lines are the members of o, each on a line of its own.
func (o object) lines() string {
	var b strings.Builder
	for i, m := range o {
		b.WriteString("  " + quote(m.name) + ": " + string(m.value))
		if i < len(o)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	return b.String()
}
