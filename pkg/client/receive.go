package client

import (
	"errors"
	"fmt"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// errGoodEnd ends the link because the runtime said goodbye.
var errGoodEnd = errors.New("the runtime closed the session")

// handle takes one frame, on the reader. An error ends the link.
//
// A payload is taken over by setting e.Payload to nil: the next frame is then decoded into a fresh one.
func (s *Session) handle(e *arcp.Envelope) error {
	if !s.open {
		return s.greeting(e)
	}
	report := s.report
	s.report = nil
	if e.SessionID != s.id {
		s.log.Debug("frame of another session ignored", "type", e.Type, "of", e.SessionID)
		return nil
	}
	if p, ok := e.Payload.(*arcp.JobEvent); ok {
		return s.event(e, p)
	}
	if rule, ok := arcp.RuleOf(e.Type); ok && rule.Sequenced || e.EventSeq != 0 {
		if err := s.sequence(e); err != nil {
			return err
		}
	}
	switch p := e.Payload.(type) {
	case *arcp.JobResult:
		e.Payload = nil
		s.finish(e.JobID, p, p.FinalStatus, nil)
	case *arcp.JobError:
		s.finish(e.JobID, nil, statusOf(p), arcp.RemoteError(p.Code, p.Message, p.Retryable, p.Details))
	case *arcp.JobAccepted:
		e.Payload = nil
		s.accepted(e, p)
	case *arcp.JobCancelled:
		s.cancelled(p)
	case *arcp.SessionError:
		s.refused(p)
	case *arcp.SessionPing:
		return s.pong(p)
	case *arcp.SessionPong:
		return nil
	case *arcp.SessionClosed, *arcp.SessionBye:
		s.report = report
		return errGoodEnd
	default:
		s.log.Debug("frame ignored", "type", e.Type, "id", e.ID)
	}
	return nil
}

// sequence checks that event_seq goes up by one (§8.3).
func (s *Session) sequence(e *arcp.Envelope) error {
	if e.EventSeq != s.lastSeq+1 {
		return fmt.Errorf("%w: event_seq %d after %d (%s %s)", ErrProtocol, e.EventSeq, s.lastSeq, e.Type, e.ID)
	}
	s.lastSeq = e.EventSeq
	return nil
}

func (s *Session) event(e *arcp.Envelope, p *arcp.JobEvent) error {
	if err := s.sequence(e); err != nil {
		return err
	}
	j := s.jobs[e.JobID]
	if j == nil {
		s.log.Debug("event of an unknown job ignored", "job", e.JobID, "seq", e.EventSeq)
		return nil
	}
	e.Payload = nil
	j.push(e, p)
	return nil
}

// finish gives a job its end and forgets it.
func (s *Session) finish(jobID string, result *arcp.JobResult, status arcp.JobStatus, err error) {
	j := s.jobs[jobID]
	if j == nil {
		s.log.Debug("end of an unknown job ignored", "job", jobID)
		return
	}
	delete(s.jobs, jobID)
	j.finish(result, status, err)
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
	s.report = err
	s.log.Warn("reported by the runtime", "error", err, "job", p.JobID)
}
