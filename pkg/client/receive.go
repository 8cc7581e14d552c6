package client

import (
	"errors"
	"fmt"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
)

// errGoodEnd ends the link because the runtime said goodbye.
var errGoodEnd = errors.New("the runtime closed the session")

// handle takes one frame, on the reader. An error ends the link.
//
// A payload is taken over by setting e.Payload to nil: the next frame is then decoded into a fresh one.
func (s *Session) handle(l *link.Link, e *arcp.Envelope) error {
	if !s.in.open {
		return s.greeting(l, e)
	}
	report := s.in.report
	s.in.report = nil
	s.in.previous = arcp.Secret{} // the runtime stands by its welcome
	if e.SessionID != s.id {
		s.log.Debug("frame of another session ignored", "type", e.Type, "of", e.SessionID)
		return nil
	}
	if p, ok := e.Payload.(*arcp.JobEvent); ok {
		return s.event(l, e, p)
	}
	if rule, ok := arcp.RuleOf(e.Type); ok && rule.Sequenced || e.EventSeq != 0 {
		if fresh, err := s.sequence(e); err != nil || !fresh {
			return err
		}
		defer s.handled()
	}
	switch p := e.Payload.(type) {
	case *arcp.JobResult:
		e.Payload = nil
		s.finish(l, e, p, p.FinalStatus, nil)
	case *arcp.JobError:
		s.finish(l, e, nil, statusOf(p), arcp.RemoteError(p.Code, p.Message, p.Retryable, p.Details))
	case *arcp.JobAccepted:
		e.Payload = nil
		s.accepted(e, p)
	case *arcp.JobCancelled:
		s.cancelled(p)
	case *arcp.JobSubscribed:
		e.Payload = nil
		s.subscribed(l, p)
	case *arcp.SessionJobs:
		e.Payload = nil
		s.listed(p)
	case *arcp.SessionError:
		s.refused(p)
	case *arcp.SessionPing:
		return s.pong(l, p)
	case *arcp.SessionPong:
		return nil
	case *arcp.SessionClosed, *arcp.SessionBye:
		s.in.report = report
		return errGoodEnd
	default:
		s.log.Debug("frame ignored", "type", e.Type, "id", e.ID)
	}
	return nil
}

// sequence checks that event_seq goes up by one (§8.3). What comes again is no news: a replay may begin early. A gap ends the link, and the
// next one begins where it was.
func (s *Session) sequence(e *arcp.Envelope) (fresh bool, err error) {
	switch {
	case e.EventSeq == s.in.seq+1:
		s.in.seq = e.EventSeq
		return true, nil
	case e.EventSeq != 0 && e.EventSeq <= s.in.seq:
		return false, nil
	}
	return false, fmt.Errorf("%w: event_seq %d after %d (%s %s)", ErrProtocol, e.EventSeq, s.in.seq, e.Type, e.ID)
}

// handled says that the frame of the last number is where it belongs, or nobody's.
func (s *Session) handled() {
	s.lastSeq.Store(s.in.seq)
	s.touch()
}

func (s *Session) event(l *link.Link, e *arcp.Envelope, p *arcp.JobEvent) error {
	if fresh, err := s.sequence(e); err != nil || !fresh {
		return err
	}
	if j := s.jobOf(l, e); j != nil {
		e.Payload = nil
		j.push(e, p)
	}
	s.handled()
	return nil
}

// jobOf finds the job of a sequenced frame, nil for one that is nobody's. Most are of the same job as the one before.
func (s *Session) jobOf(l *link.Link, e *arcp.Envelope) *Job {
	changes := s.jobs.changes.Load()
	if j := s.in.job; j != nil && s.in.changes == changes && j.id == e.JobID {
		return j
	}
	j := s.jobs.get(e.JobID)
	if j == nil {
		s.stray(l, e)
		return nil
	}
	s.in.job, s.in.changes = j, changes
	return j
}

// stray takes a frame of a job that is not known: one that was read to its end, or is not followed any more.
func (s *Session) stray(l *link.Link, e *arcp.Envelope) {
	if !s.asking(e.JobID) && s.jobs.pass(e.JobID, l) {
		s.unobserve(l, e.JobID)
		return
	}
	s.log.Debug("frame of an unknown job ignored", "job", e.JobID, "seq", e.EventSeq)
}

// finish gives a job its end.
func (s *Session) finish(l *link.Link, e *arcp.Envelope, result *arcp.JobResult, status arcp.JobStatus, err error) {
	if j := s.jobOf(l, e); j != nil {
		j.finish(l, e.EventSeq, indexOf(e.ID, j.id), result, status, err)
		s.in.job = nil // it may go
	}
}

// statusOf reads the final state, which older peers leave to be told from the code (§7.3).
func statusOf(p *arcp.JobError) arcp.JobStatus {
	switch {
	case p.FinalStatus != "":
		return p.FinalStatus
	case p.Code == arcp.CodeCancelled:
		return arcp.StatusCancelled
	case p.Code == arcp.CodeTimeout:
		return arcp.StatusTimedOut
	}
	return arcp.StatusError
}

// refused takes a session.error: the answer to the request it names, or else a report.
func (s *Session) refused(p *arcp.SessionError) {
	err := remoteError(p)
	if p.RequestID != "" {
		if r := s.take(p.RequestID); r != nil {
			r.answer(nil, err)
			return
		}
		s.log.Debug("refusal of an unknown request ignored", "request", p.RequestID, "error", err)
		return
	}
	s.in.report = err
	s.log.Warn("reported by the runtime", "error", err, "job", p.JobID)
}
