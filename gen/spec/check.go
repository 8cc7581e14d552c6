package spec

import "github.com/arcpkit/arcp/gen/ir"

// envelopeMembers are the ones that hand-written code and emitters rely on.
func envelopeMembers() []string {
	return []string{"arcp", "type", "session_id", "event_seq", "id", "job_id", "trace_id", "payload", "extensions"}
}

// checkWhole checks what concerns the spec as a whole.
func (l *loader) checkWhole() {
	if len(l.sources) == 0 {
		return
	}
	top := value{l.sources[0], l.sources[0].root}
	if l.protocol.Version == "" {
		l.errorf(top, "no file has the section protocol")
	}
	if l.protocol.Envelope == nil {
		l.errorf(top, "no file has the section envelope")
	} else {
		l.checkEnvelope(l.envelopeAt)
	}
	for _, o := range l.protocol.Objects {
		if contains(o, o, nil) {
			l.errorf(l.objectAt[o], "object %s contains itself", o.Wire)
		}
	}
}

func (l *loader) checkEnvelope(at value) {
	have := map[string]bool{}
	for _, f := range l.protocol.Envelope.Fields {
		have[f.Wire] = true
	}
	for _, name := range envelopeMembers() {
		if !have[name] {
			l.errorf(at, "the envelope lacks the member %s", name)
		}
	}
	if len(have) > len(envelopeMembers()) {
		l.errorf(at, "the envelope has members that no code reads; the Envelope type is written by hand")
	}
}

// contains says whether a value of o holds one of needle without a list or map between, which Go cannot lay out.
func contains(o, needle *ir.Object, path []*ir.Object) bool {
	for _, p := range path {
		if p == o {
			return false
		}
	}
	for _, f := range o.Fields {
		if f.Type.Base != ir.ObjectRef {
			continue
		}
		if f.Type.Object == needle || contains(f.Type.Object, needle, append(path, o)) {
			return true
		}
	}
	return false
}
