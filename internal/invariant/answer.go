package invariant

import (
	"github.com/arcpkit/arcp/pkg/arcp"
)

// request is one request of a session and what became of it.
type request struct {
	kind    arcp.MessageType
	at      int
	job     string // that it names
	submit  *arcp.JobSubmit
	from    uint64 // of a subscribe with history
	history bool
	head    uint64 // the newest entry of the job that anybody had seen when it was asked
	asked   int    // how often: on another link it is asked again, for the answer may have been lost
	done    int    // how often it was answered
	refused int    // how often it was refused
	last    int    // step of the last answer or refusal
}

func (r *request) isOpen() bool { return r.done+r.refused == 0 }

// awaits says whether an answer that lets the session see the job may have been lost with a link: it is still owed.
func (c *checker) awaits(s *session, jobID string) bool {
	for _, r := range s.requests {
		owed := r.isOpen() || c.o.Forgetful && r.done+r.refused < r.asked
		keyed := c.o.Forgetful && r.submit != nil && r.submit.IdempotencyKey != ""
		if owed && (keyed || r.kind == arcp.TypeJobSubscribe && r.job == jobID) {
			return true
		}
	}
	return false
}

// fromClient takes note of who speaks and what is asked for.
func (c *checker) fromClient(l *link, e *arcp.Envelope) {
	switch p := e.Payload.(type) {
	case *arcp.SessionHello:
		c.opens(l, e, p.Auth)
		if l.hello == e {
			l.resume = p.Resume
			if p.Capabilities != nil {
				l.asked = p.Capabilities.Features
			}
		}
		return
	case *arcp.SessionResume:
		c.opens(l, e, p.Auth)
		if l.hello == e {
			l.resume = &arcp.Resume{SessionID: e.SessionID, ResumeToken: p.ResumeToken, LastEventSeq: p.LastEventSeq}
		}
		return
	}
	s := l.session
	if p, ok := e.Payload.(*arcp.JobUnsubscribe); ok && s != nil {
		s.stream(p.JobID).left = true
	}
	if rule, ok := arcp.RuleOf(e.Type); s == nil || !ok || rule.Reply == "" {
		return
	}
	if r := s.requests[e.ID]; r != nil {
		if c.trace[r.at].Link != c.trace[c.at].Link {
			r.at, r.asked = c.at, r.asked+1
		}
		return
	}
	r := &request{kind: e.Type, at: c.at, job: e.JobID, asked: 1}
	switch p := e.Payload.(type) {
	case *arcp.JobSubmit:
		r.submit = p
	case *arcp.JobCancel:
		r.job = firstOf(r.job, p.JobID)
	case *arcp.JobSubscribe:
		r.job, r.from, r.history = firstOf(p.JobID, r.job), p.FromEventSeq, p.History
	}
	if j := c.jobs[r.job]; j != nil {
		r.head = j.last
	}
	s.requests[e.ID] = r
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// opens remembers the first handshake of a link: who it is and that the token is secret.
func (c *checker) opens(l *link, e *arcp.Envelope, auth arcp.Auth) {
	token := auth.Token.Reveal()
	if l.hello == nil {
		l.hello, l.principal = e, c.o.Principal(token)
	}
	if len(token) >= leastToken {
		c.bearers[token] = true
	}
}

// answer takes a frame without a number that the session sees for the first time.
func (c *checker) answer(s *session, e *arcp.Envelope) {
	switch p := e.Payload.(type) {
	case *arcp.JobAccepted:
		c.accepted(s, e, p)
	case *arcp.JobCancelled:
		if c.settle(s, p.RequestID, arcp.TypeJobCancel) != nil {
			c.job(p.JobID).cancelled = true
		}
	case *arcp.JobSubscribed:
		c.subscribed(s, p)
	case *arcp.SessionJobs:
		c.settle(s, p.RequestID, arcp.TypeSessionListJobs)
		for i := range p.Jobs {
			c.tell(p.Jobs[i].JobID, p.Jobs[i].Status)
		}
	case *arcp.SessionError:
		c.refusal(s, p)
	}
}

// settle notes that a request was done. What was never asked, or was asked as something else, or was refused, cannot be done (I11).
func (c *checker) settle(s *session, id string, kind arcp.MessageType) *request {
	r := s.requests[id]
	switch {
	case r == nil && s.old:
		return nil
	case r == nil:
		c.fail(NoSideEffect, s.id, "", "an answer to %q, which the session never asked", id)
		return nil
	case r.kind != kind:
		c.fail(NoSideEffect, s.id, r.job, "%s %q was answered as %s", r.kind, id, kind)
		return nil
	case r.done+r.refused < r.asked:
	case r.refused > 0:
		c.fail(NoSideEffect, s.id, r.job, "%s %q was refused in step %d and done all the same", r.kind, id, r.last)
	default:
		c.fail(NoSideEffect, s.id, r.job, "%s %q was answered in step %d already", r.kind, id, r.last)
	}
	r.done, r.last = r.done+1, c.at
	return r
}

func (c *checker) refusal(s *session, p *arcp.SessionError) {
	if p.RequestID == "" {
		return // a report
	}
	r := s.requests[p.RequestID]
	if r == nil {
		return // of a frame without an answer, such as an ack
	}
	switch {
	case r.done+r.refused < r.asked:
	case r.done > 0:
		c.fail(NoSideEffect, s.id, r.job, "%s %q was done in step %d and refused all the same", r.kind, p.RequestID, r.last)
	default:
		c.fail(NoSideEffect, s.id, r.job, "%s %q was refused in step %d already", r.kind, p.RequestID, r.last)
	}
	r.refused, r.last = r.refused+1, c.at
	if p.Code == arcp.CodeJobNotFound {
		c.unseen(s, r, p)
	}
	if p.Code == arcp.CodeDuplicateKey {
		c.use(s, r, "")
	}
}

func (c *checker) accepted(s *session, e *arcp.Envelope, p *arcp.JobAccepted) {
	r := c.settle(s, p.RequestID, arcp.TypeJobSubmit)
	j := c.job(p.JobID)
	if j.accepted < 0 {
		j.accepted, j.principal = c.at, s.principal
	} else if r != nil && !s.old && (r.submit == nil || r.submit.IdempotencyKey == "") {
		c.fail(Keys, s.id, j.id, "a submit without a key got a job that was there before")
	}
	if e.JobID != p.JobID {
		c.fail(Wire, s.id, j.id, "the envelope of the acceptance names job %q", e.JobID)
	}
	st := s.stream(j.id)
	st.starts = append(st.starts, 0)
	if r != nil {
		c.use(s, r, p.JobID)
	}
}

func (c *checker) subscribed(s *session, p *arcp.JobSubscribed) {
	r := c.settle(s, p.RequestID, arcp.TypeJobSubscribe)
	c.tell(p.JobID, p.CurrentStatus)
	if r == nil {
		return
	}
	switch {
	case r.job != p.JobID:
		c.fail(OneLog, s.id, p.JobID, "asked to watch %q", r.job)
	case p.Replayed && (p.SubscribedFrom > r.from || p.SubscribedFrom < r.from && r.head >= r.from):
		c.fail(OneLog, s.id, p.JobID, "the history begins behind %d, asked for was %d", p.SubscribedFrom, r.from)
	}
	st := s.stream(p.JobID)
	if p.Replayed || st.next == 0 || st.left {
		st.starts = append(st.starts, p.SubscribedFrom)
	}
	st.left = false
}

// tell notes a state that an answer spoke of; final ones never change.
func (c *checker) tell(jobID string, status arcp.JobStatus) {
	if status == arcp.StatusPending || status == arcp.StatusRunning {
		return
	}
	if j := c.job(jobID); j.told != nil {
		if _, told := j.told[status]; !told {
			j.told[status] = c.at
		}
	}
}
