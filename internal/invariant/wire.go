package invariant

import (
	"bytes"
	"slices"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// wire checks one frame of the runtime by itself and against the state of its link.
func (c *checker) wire(l *link, st *Step, e *arcp.Envelope) {
	rule, known := arcp.RuleOf(e.Type)
	switch {
	case len(st.Data) > arcp.LimitFrameOut:
		c.fail(Wire, e.SessionID, e.JobID, "a frame of %d bytes", len(st.Data))
	case !known:
		c.fail(Wire, e.SessionID, e.JobID, "unknown type %q", e.Type)
	case !rule.From.Allows(arcp.FromRuntime):
		c.fail(Wire, e.SessionID, e.JobID, "%s from a runtime", e.Type)
	}
	if err := e.Validate(); err != nil {
		c.fail(Wire, e.SessionID, e.JobID, "%s: %v", e.Type, err)
	}
	switch {
	case l.over:
		c.fail(Wire, e.SessionID, e.JobID, "%s after the goodbye", e.Type)
	case l.refused && l.session == nil && e.Type != arcp.TypeSessionError:
		c.fail(Wire, e.SessionID, e.JobID, "%s after a refused handshake", e.Type)
	case l.session == nil && !rule.Handshake:
		c.fail(Wire, e.SessionID, e.JobID, "%s before the welcome", e.Type)
	case l.session != nil && e.Type == arcp.TypeSessionWelcome:
		c.fail(Wire, e.SessionID, e.JobID, "a second welcome")
	case l.session != nil && e.SessionID != l.session.id:
		c.fail(Wire, e.SessionID, e.JobID, "session_id differs from the session %q of the link", l.session.id)
	case l.session != nil && known && !l.session.has(rule.Feature):
		c.fail(Wire, e.SessionID, e.JobID, "%s without the feature %s", e.Type, rule.Feature)
	}
	if ev, ok := e.Payload.(*arcp.JobEvent); ok && l.session != nil && !l.session.has(featureOf(ev.Kind)) {
		c.fail(Wire, e.SessionID, e.JobID, "kind %s without the feature %s", ev.Kind, featureOf(ev.Kind))
	}
}

// featureOf is what a session must have agreed on to see a kind, "" for nothing.
func featureOf(k arcp.EventKind) arcp.Feature {
	rule, _ := arcp.KindRuleOf(k)
	return rule.Feature
}

// welcome opens or continues the session of a link (§6.2, §6.3).
func (c *checker) welcome(l *link, e *arcp.Envelope, p *arcp.SessionWelcome) {
	if l.session != nil {
		return
	}
	token := p.ResumeToken.Reveal()
	if _, used := c.tokens[token]; used {
		c.fail(Secrecy, e.SessionID, "", "a resume token was issued twice")
	}
	c.tokens[token] = e.SessionID
	s := c.sessions[e.SessionID]
	fresh := s == nil
	if fresh {
		s = &session{id: e.SessionID, principal: l.principal, features: p.Capabilities.Features}
		s.streams, s.requests, s.answers = map[string]*stream{}, map[string]*request{}, map[string]int{}
		c.sessions[s.id] = s
	}
	l.session = s
	switch r := l.resume; {
	case r == nil && !fresh:
		c.fail(Strangers, s.id, "", "a new session has the id of another")
	case r == nil:
		c.agreed(l, s)
	case fresh:
		s.old, s.base = true, r.LastEventSeq
	}
	if r := l.resume; r != nil {
		c.resumed(l, s, r)
	}
}

func (c *checker) agreed(l *link, s *session) {
	for _, f := range s.features {
		if l.asked != nil && !slices.Contains(l.asked, f) {
			c.fail(Wire, s.id, "", "the feature %s was not asked for", f)
		}
	}
}

// resumed checks what a resume was let in with.
func (c *checker) resumed(l *link, s *session, r *arcp.Resume) {
	switch of, issued := c.tokens[r.ResumeToken.Reveal()]; {
	case r.SessionID != "" && r.SessionID != s.id:
		c.fail(Wire, s.id, "", "resumed another session than %q, which was asked for", r.SessionID)
	case s.principal != l.principal:
		c.fail(Strangers, s.id, "", "a session of %q was resumed by %q", s.principal, l.principal)
	case issued && of != s.id:
		c.fail(Secrecy, s.id, "", "resumed with a token of session %q", of)
	case !issued && !s.old:
		c.fail(Secrecy, s.id, "", "resumed with a token that was never issued")
	}
}

// number checks event_seq (I1) and says whether the frame is new.
func (c *checker) number(l *link, s *session, e *arcp.Envelope) bool {
	want := s.base + 1
	switch {
	case l.sequenced:
		want = l.lastSeq + 1
	case l.resume != nil:
		want = l.resume.LastEventSeq + 1
	}
	if e.EventSeq != want {
		c.fail(Numbers, s.id, e.JobID, "event_seq %d, want %d", e.EventSeq, want)
	}
	l.lastSeq, l.sequenced = e.EventSeq, true
	if e.EventSeq <= s.base {
		return false
	}
	i := e.EventSeq - s.base - 1
	switch n := uint64(len(s.numbers)); {
	case i < n:
		if first := s.numbers[i]; !bytes.Equal(c.trace[first].Data, c.trace[c.at].Data) {
			c.fail(Numbers, s.id, e.JobID, "event_seq %d had another body in step %d", e.EventSeq, first)
		}
		return false
	case i > n:
		if e.EventSeq == want {
			c.fail(Numbers, s.id, e.JobID, "event_seq %d after %d", e.EventSeq, s.base+n)
		}
		return true // which leaves the numbers behind: every later one is reported as well
	}
	s.numbers = append(s.numbers, c.at)
	return true
}

// once checks that ids of frames without a number differ. A frame that is sent again after a resume is the same in every byte (§6.3).
func (c *checker) once(s *session, e *arcp.Envelope) bool {
	first, again := s.answers[e.ID]
	if !again {
		s.answers[e.ID] = c.at
		return true
	}
	if !bytes.Equal(c.trace[first].Data, c.trace[c.at].Data) {
		c.fail(Wire, s.id, e.JobID, "the id %q was that of another frame in step %d", e.ID, first)
	} else if c.trace[first].Link == c.trace[c.at].Link {
		c.fail(Wire, s.id, e.JobID, "%s was sent twice", e.Type)
	}
	return false
}
