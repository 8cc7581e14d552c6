package text

import (
	"strconv"
	"strings"

	"github.com/arcpkit/arcp/gen/ir"
	"github.com/arcpkit/arcp/gen/vectors"
)

// reference is what the message reference shows.
type reference struct {
	Title, Draft, VendorPrefix string
	Envelope                   section
	Messages, Kinds, Objects   []section
	Enums, Constants           []section
	Scalars, Codes, Features   []row
	Limits                     []row
}

// section is one headed part of the page.
type section struct {
	Name, Anchor, Doc string
	Facts             string
	Closed            string
	Fields, Values    []row
	Notes             []string
	Example           string
}

// row is one line of a table.
type row struct {
	Name, Anchor, Doc, Type, Presence, Retryable, Default string
}

func newReference(p *ir.Protocol) reference {
	r := reference{
		Title: p.Name + " " + p.Version, Draft: p.Draft,
		Envelope: section{Doc: prose(p.Envelope.Meta), Fields: fieldRows(p.Envelope.Fields)},
	}
	for _, m := range p.Messages {
		s := objectSection(&m.Object)
		s.Facts, s.Example = messageFacts(m), vectors.Example(p, m, nil)
		r.Messages = append(r.Messages, s)
	}
	event := vectors.Event(p)
	for _, k := range p.Kinds {
		s := objectSection(&k.Object)
		if s.Facts = kindFacts(k); event != nil {
			s.Example = vectors.Example(p, event, k)
		}
		r.Kinds = append(r.Kinds, s)
	}
	for _, o := range p.Objects {
		r.Objects = append(r.Objects, objectSection(o))
	}
	for _, e := range p.Enums {
		r.Enums = append(r.Enums, enumSection(e))
	}
	for _, s := range p.Scalars {
		t := typeText(&ir.Type{Base: s.Base}) + ruleText(s.Base, s.Rules)
		r.Scalars = append(r.Scalars, row{Name: s.Wire, Anchor: anchor(s.Wire), Type: t, Doc: cell(prose(s.Meta))})
	}
	r.tables(p)
	return r
}

func (r *reference) tables(p *ir.Protocol) {
	for _, c := range p.Codes {
		r.Codes = append(r.Codes, row{Name: c.Wire, Retryable: yes(c.Retryable), Doc: cell(prose(c.Meta))})
	}
	for _, f := range p.Features {
		r.Features = append(r.Features, row{Name: f.Wire, Doc: cell(prose(f.Meta))})
	}
	for _, l := range p.Limits {
		amount := strconv.FormatInt(l.Default, 10)
		if l.Unit != "count" {
			amount += unit(" "+l.Unit, l.Default)
		}
		r.Limits = append(r.Limits, row{Name: l.Wire, Default: amount, Doc: cell(limitText(l))})
	}
	for _, g := range p.Constants {
		s := section{Name: g.Wire, Doc: prose(g.Meta)}
		for _, c := range g.Values {
			if c.Const == "VendorPrefix" {
				r.VendorPrefix = c.Value
			}
			s.Values = append(s.Values, row{Name: c.Value, Doc: cell(c.Doc)})
		}
		r.Constants = append(r.Constants, s)
	}
}

// limitText says besides the doc where a limit is set.
func limitText(l *ir.Limit) string {
	text := prose(l.Meta)
	if l.Field != "" {
		text += " `runtime.Limits." + l.Field + "`, `--" + l.Flag + "`."
	}
	if l.Negative != "" {
		text += " Negative: " + l.Negative + "."
	}
	return text
}

func objectSection(o *ir.Object) section {
	s := section{Name: o.Wire, Anchor: anchor(o.Wire), Doc: prose(o.Meta), Fields: fieldRows(o.Fields)}
	for _, a := range o.Aliases {
		s.Notes = append(s.Notes, "`"+a.Wire+"` is read as `"+path(a.Path)+"`.")
	}
	for _, g := range o.ExactlyOneOf {
		s.Notes = append(s.Notes, "Exactly one of "+names(g)+" is present.")
	}
	for _, g := range o.AtMostOneOf {
		s.Notes = append(s.Notes, "At most one of "+names(g)+" is present.")
	}
	return s
}

func enumSection(e *ir.Enum) section {
	s := section{Name: e.Wire, Doc: prose(e.Meta)}
	switch {
	case e.Open:
		s.Closed = "Other values are valid."
	case e.Vendor:
		s.Closed = "Vendor names are valid, too."
	default:
		s.Closed = "Other values survive decoding and fail validation."
	}
	for _, v := range e.Values {
		s.Values = append(s.Values, row{Name: v.Wire, Doc: cell(v.Doc)})
	}
	return s
}

func messageFacts(m *ir.Message) string {
	facts := []string{sender(m.From)}
	if m.Reply != nil {
		facts = append(facts, "answered by "+link(m.Reply.Wire))
	}
	facts = append(facts, featureFacts(m.Feature)...)
	if m.Handshake {
		facts = append(facts, "allowed before the session is welcome")
	}
	if m.JobScoped {
		facts = append(facts, "the envelope names the job")
	}
	if m.Sequenced {
		facts = append(facts, "numbered by `event_seq`")
	}
	return sentence(facts)
}

func kindFacts(k *ir.Kind) string {
	facts := []string{"from an agent"}
	if k.RuntimeOnly {
		facts = []string{"from the runtime only; refused from an agent"}
	}
	return sentence(append(facts, featureFacts(k.Feature)...))
}

func featureFacts(f *ir.Feature) []string {
	if f == nil {
		return nil
	}
	return []string{"needs the feature `" + f.Wire + "`"}
}

func sender(s ir.Side) string {
	switch s {
	case ir.FromClient:
		return "client to runtime"
	case ir.FromRuntime:
		return "runtime to client"
	default:
		return "both ways"
	}
}

func sentence(facts []string) string {
	s := strings.Join(facts, "; ")
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
