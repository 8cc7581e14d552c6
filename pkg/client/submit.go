package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Submit asks for a job and waits until it is accepted (§7.1). Submits of many goroutines are under way at once. ctx bounds the wait
// only: when it ends first the job may still be accepted and run; see Attach.
//
// At a runtime that keeps idempotency keys each submit gets one, unless it has one, and is asked again over the next link when the answer
// was lost with the last (§7.2). Elsewhere only one that has a key is; another one fails with ErrLinkLost. A key that
// was used before gives the job it was used for: a Job of it that this session follows is returned as it is, as Subscribe does, otherwise
// it begins with the job's first event.
//
// A refusal is an *arcp.Error, a submit that breaks a rule by itself INVALID_REQUEST, a session that ends before the answer its Err.
func (s *Session) Submit(ctx context.Context, submit *arcp.JobSubmit) (*Job, error) {
	return s.SubmitEnvelope(ctx, &arcp.Envelope{Payload: submit})
}

// SubmitEnvelope is Submit with what stands around the payload, a *arcp.JobSubmit: the trace id and extensions. ID and SessionID are
// set here. The envelope and its payload are not kept.
func (s *Session) SubmitEnvelope(ctx context.Context, e *arcp.Envelope) (*Job, error) {
	submit, ok := e.Payload.(*arcp.JobSubmit)
	if !ok {
		return nil, arcp.NewError(arcp.CodeInvalidRequest, "SubmitEnvelope of a %T", e.Payload)
	}
	asked := *submit
	if limits := s.Welcome().Capabilities.Limits; asked.IdempotencyKey == "" && limits != nil && limits.IdempotencySec > 0 {
		asked.IdempotencyKey = arcp.NewID("key_")
	}
	sent := *e
	sent.ID, sent.SessionID, sent.Payload = "", s.id, &asked
	r, err := s.newRequest(&sent, "")
	if err == nil {
		err = s.fits(r)
	}
	if err != nil {
		return nil, err
	}
	r.safe = asked.IdempotencyKey != ""
	if err := s.ask(ctx, r); err != nil {
		return nil, err
	}
	return r.job, nil
}

// fits refuses a frame that the runtime would not read: its refusal could not name the request.
func (s *Session) fits(r *request) error {
	limit := arcp.LimitFrameOut
	if l := s.Welcome().Capabilities.Limits; l != nil && l.FrameBytes > 0 && l.FrameBytes < uint64(limit) {
		limit = int(l.FrameBytes)
	}
	if n := len(r.frame.Payload.(*arcp.UnknownMessage).Frame); n > limit {
		return arcp.NewError(arcp.CodeInvalidRequest, "the submit is %d bytes long, the limit is %d", n, limit)
	}
	return nil
}

// accepted takes a job.accepted, on the reader, so that the job is known before its first event is looked at. One that was said before
// is said again when a link was lost, or a submit with the same key came, and makes no second job.
func (s *Session) accepted(e *arcp.Envelope, p *arcp.JobAccepted) {
	var r *request
	if p.RequestID != "" {
		r = s.take(p.RequestID)
	} else if s.jobs.find(p.JobID) == nil {
		r = s.takeFirst()
	}
	if p.TraceID == "" {
		p.TraceID = e.TraceID
	}
	switch {
	case r != nil && r.kind != arcp.TypeJobSubmit:
		r.answer(nil, fmt.Errorf("%w: a job.accepted for a %s", ErrProtocol, r.kind))
	case r != nil && p.JobID == "":
		r.answer(nil, fmt.Errorf("%w: a job.accepted without job_id", ErrProtocol))
	case r != nil && !r.abandoned:
		j := newJob(s, strings.Clone(p.JobID), p)
		j.begin(order{after: p.AfterEventSeq})
		r.answer(s.jobs.add(j).claim(p), nil)
	case s.jobs.find(p.JobID) != nil:
		s.jobs.find(p.JobID).describe(p)
	case r != nil || s.in.adopting && p.JobID != "":
		s.log.Debug("nobody waits for the accepted job", "job", p.JobID)
		s.keep(strings.Clone(p.JobID), order{after: p.AfterEventSeq}, p)
	default:
		s.log.Debug("acceptance of an unknown submit ignored", "job", p.JobID, "request", p.RequestID)
	}
}
