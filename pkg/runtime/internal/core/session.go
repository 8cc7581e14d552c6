package core

import (
	"slices"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Session decides which frames of a client may do what (§6.1, §6.2).
type Session struct {
	state    sessionState
	id       string
	features []arcp.Feature
}

type sessionState uint8

const (
	fresh     sessionState = iota // nothing but a hello or a resume may come
	verifying                     // its credentials are being looked at; nothing may come
	open
	closing // nothing is answered any more
)

// Admission is what to do with a frame.
type Admission struct {
	Refuse *arcp.Error // answer with this instead of acting; nil is to act
	Ignore bool        // neither act nor answer
	End    bool        // close the link after the answer
}

// Admit says whether a frame may act. It consults the rule table: direction, state, negotiated feature. A hello that may
// act moves the session on: Opened or Ended must follow.
func (s *Session) Admit(e *arcp.Envelope) Admission {
	rule, known := arcp.RuleOf(e.Type)
	switch {
	case s.state == closing:
		return Admission{Ignore: true}
	case s.state != open:
		return s.admitFirst(rule, known)
	case !known:
		return refuse("there is no message type %q", string(e.Type))
	case !rule.From.Allows(arcp.FromClient):
		return refuse("%s is sent by runtimes only", e.Type)
	case rule.Handshake:
		return refuse("%s may come only once, as the first frame", e.Type)
	case e.SessionID != s.id:
		return refuse("/session_id: not the id of this session")
	case e.EventSeq != 0:
		return refuse("/event_seq: only a runtime numbers frames")
	case rule.Feature != "" && !s.Negotiated(rule.Feature):
		return refuse("%s needs the feature %q, which was not negotiated", e.Type, string(rule.Feature))
	}
	return Admission{}
}

func (s *Session) admitFirst(rule arcp.Rule, known bool) Admission {
	switch {
	case s.state == fresh && known && rule.Handshake && rule.From.Allows(arcp.FromClient):
		s.state = verifying
		return Admission{}
	case known && rule.From == arcp.FromBoth && rule.Reply == arcp.TypeSessionClosed:
		s.state = closing
		return Admission{Ignore: true, End: true}
	}
	s.state = closing
	a := refuse("the first frame must be %s or %s", arcp.TypeSessionHello, arcp.TypeSessionResume)
	a.End = true
	return a
}

func refuse(format string, args ...any) Admission {
	return Admission{Refuse: arcp.NewError(arcp.CodeInvalidRequest, format, args...)}
}

// Opened says that the hello was answered with a welcome.
func (s *Session) Opened(id string, features []arcp.Feature) {
	s.state, s.id, s.features = open, id, features
}

// Ended says that the session takes no more frames on this link.
func (s *Session) Ended() { s.state = closing }

// IsOpen says whether the welcome was sent and the end has not come.
func (s *Session) IsOpen() bool { return s.state == open }

// Negotiated says whether both ends have a feature.
func (s *Session) Negotiated(f arcp.Feature) bool { return slices.Contains(s.features, f) }
