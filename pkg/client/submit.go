package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Submit asks for a job and waits until it is accepted (§7.1). Submits of many goroutines are under way at once. ctx bounds the wait
// only: when it ends first the job may still be accepted and run, unseen by this session.
//
// A refusal is an *arcp.Error, a submit that breaks a rule by itself INVALID_REQUEST, a link that ends before the answer ErrLinkLost.
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
	r := s.newRequest(arcp.TypeJobSubmit, "")
	sent := *e
	sent.ID, sent.SessionID = r.id, s.id
	if err := sent.Validate(); err != nil {
		return nil, err
	}
	if err := s.fits(&sent, submit); err != nil {
		return nil, err
	}
	if err := s.sendInTurn(ctx, r, &sent); err != nil {
		return nil, err
	}
	return s.wait(ctx, r)
}

// sendInTurn registers and sends as one step, so that submits stand in s.submits in the order of the wire. It may have to wait for a peer
// that reads slowly.
func (s *Session) sendInTurn(ctx context.Context, r *request, e *arcp.Envelope) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ended:
		return s.err
	}
	defer func() { <-s.turn }()
	if !s.expect(r) {
		return s.lost(ctx)
	}
	if err := s.link.SendWait(ctx, e); err != nil {
		s.forget(r)
		return s.sendError(ctx, err)
	}
	return nil
}

// fits refuses a frame that the runtime would not read: its refusal could not name the request.
func (s *Session) fits(e *arcp.Envelope, submit *arcp.JobSubmit) error {
	limit := arcp.LimitFrameOut
	if l := s.welcome.Capabilities.Limits; l != nil && l.FrameBytes > 0 && l.FrameBytes < uint64(limit) {
		limit = int(l.FrameBytes)
	}
	const worstEscape, rest = 6, 16 << 10 // what a byte of a string may grow to, and all that is bounded by itself
	bound := rest + len(submit.Input) + len(e.Extensions)
	for _, patterns := range submit.LeaseRequest {
		for _, p := range patterns {
			bound += worstEscape * (len(p) + 1)
		}
	}
	if bound <= limit {
		return nil
	}
	frame, err := e.AppendJSON(nil)
	if err == nil && len(frame) > limit {
		err = arcp.NewError(arcp.CodeInvalidRequest, "the submit is %d bytes long, the limit is %d", len(frame), limit)
	}
	return err
}

// accepted takes a job.accepted, on the reader, so that the job is known before its first event is looked at.
func (s *Session) accepted(e *arcp.Envelope, p *arcp.JobAccepted) {
	var r *request
	if p.RequestID != "" {
		r = s.take(p.RequestID)
	} else {
		r = s.takeFirst()
	}
	switch {
	case r == nil || r.kind != arcp.TypeJobSubmit:
		s.log.Debug("acceptance of an unknown submit ignored", "job", p.JobID, "request", p.RequestID)
	case p.JobID == "":
		r.answer(nil, fmt.Errorf("%w: a job.accepted without job_id", ErrProtocol))
	case r.abandoned:
		s.log.Debug("nobody waits for the accepted job", "job", p.JobID)
	default:
		if p.TraceID == "" {
			p.TraceID = e.TraceID
		}
		j := newJob(s, strings.Clone(p.JobID), p)
		s.jobs[j.id] = j
		r.answer(j, nil)
	}
}
