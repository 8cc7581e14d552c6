package invariant

import (
	"bytes"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// leastToken keeps short names, which tests use for tokens, from being taken for secrets.
const leastToken = 16

// mention is an id that a principal spoke of itself, so that an answer may repeat it.
type mention struct{ principal, id string }

func (c *checker) mention(l *link, frame []byte) {
	words(frame, func(w []byte) {
		if isID(w) {
			c.mentioned[mention{l.principal, string(w)}] = true
		}
	})
}

// exposed looks for what the reader of a frame must not see (I5, I9).
func (c *checker) exposed(l *link, st *Step, e *arcp.Envelope) {
	words(st.Data, func(w []byte) {
		if isID(w) {
			owner, known := c.owners[string(w)]
			asked := e.EventSeq == 0 && c.mentioned[mention{l.principal, string(w)}]
			if known && owner != l.principal && !asked {
				c.fail(Strangers, e.SessionID, e.JobID, "%q is shown %s of %q", l.principal, w, owner)
			}
			return
		}
		if len(w) < leastToken {
			return
		}
		if of, ok := c.tokens[string(w)]; ok && (of != e.SessionID || e.Type != arcp.TypeSessionWelcome) {
			c.fail(Secrecy, e.SessionID, e.JobID, "%s shows a resume token of session %q", e.Type, of)
		}
		if c.bearers[string(w)] {
			c.fail(Secrecy, e.SessionID, e.JobID, "%s shows a bearer token", e.Type)
		}
	})
	for secret, owner := range c.o.Secrets {
		if (owner == "" || owner != l.principal) && bytes.Contains(st.Data, []byte(secret)) {
			c.fail(Secrecy, e.SessionID, e.JobID, "%s shows %q a secret of %q", e.Type, l.principal, owner)
		}
	}
}

// unseen holds the answers for foreign jobs and for jobs that do not exist against each other.
func (c *checker) unseen(s *session, r *request, p *arcp.SessionError) {
	const blank = "#"
	text := string(p.Code) + " " + p.Message + " " + string(p.Details)
	if r.job != "" {
		text = strings.ReplaceAll(text, r.job, blank)
	}
	switch first, ok := c.notFound[r.kind]; {
	case !ok:
		c.notFound[r.kind] = text
	case first != text:
		c.fail(Strangers, s.id, r.job, "two answers for jobs that cannot be seen: %q and %q", first, text)
	}
}

func isID(w []byte) bool {
	return bytes.HasPrefix(w, []byte(arcp.PrefixSession)) || bytes.HasPrefix(w, []byte(arcp.PrefixJob))
}

func idsIn(frame []byte) (ids []string) {
	words(frame, func(w []byte) {
		if isID(w) {
			ids = append(ids, string(w))
		}
	})
	return ids
}

// words calls f with every run of the characters that ids and tokens are made of.
func words(frame []byte, f func([]byte)) {
	start := -1
	for i, b := range frame {
		word := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '-'
		switch {
		case word && start < 0:
			start = i
		case !word && start >= 0:
			f(frame[start:i])
			start = -1
		}
	}
	if start >= 0 {
		f(frame[start:])
	}
}

// Leaks returns the secrets of a trace, resume and bearer tokens and the canaries of o, that occur in text: a log, a dump, an error.
func Leaks(t Trace, o Options, text []byte) (found []string) {
	seen := map[string]bool{}
	note := func(secret string) {
		if len(secret) >= leastToken && !seen[secret] && bytes.Contains(text, []byte(secret)) {
			found = append(found, secret)
		}
		seen[secret] = true
	}
	for i := range t {
		e, err := arcp.Decode(t[i].Data)
		if err != nil {
			continue
		}
		switch p := e.Payload.(type) {
		case *arcp.SessionHello:
			note(p.Auth.Token.Reveal())
		case *arcp.SessionResume:
			note(p.Auth.Token.Reveal())
		case *arcp.SessionWelcome:
			note(p.ResumeToken.Reveal())
		}
	}
	for secret := range o.Secrets {
		note(secret)
	}
	return found
}
