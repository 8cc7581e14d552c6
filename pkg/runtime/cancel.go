package runtime

import (
	"context"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// cancel ends a job for the session that submitted it, and once that has ended for any of its principal (§7.4).
func (c *connection) cancel(ctx context.Context, s *session, e *arcp.Envelope, p *arcp.JobCancel) error {
	id := e.JobID
	switch {
	case id == "":
		id = p.JobID
	case p.JobID != "" && p.JobID != id:
		c.refuse(e, arcp.NewError(arcp.CodeInvalidRequest, "/payload/job_id: differs from the envelope's"))
		return nil
	}
	if id == "" {
		c.refuse(e, arcp.NewError(arcp.CodeInvalidRequest, "/payload/job_id: missing"))
		return nil
	}
	j, done, refusal := s.observable(ctx, id)
	defer done()
	if refusal == nil && j.principal != s.principal { // the policy shows it, and no more
		refusal = arcp.NewError(arcp.CodePermissionDenied, "only the session that submitted a job may cancel it")
	}
	if refusal != nil { // one of another principal is as if it did not exist (§6.6)
		c.refuse(e, refusal)
		return nil
	}
	stop := j.cancelFor
	if j.remote.Load() {
		stop = j.cancelThere
	}
	if refusal := stop(ctx, c, s, e.ID, strings.Clone(p.Reason)); refusal != nil && refusal != errMoved {
		c.refuse(e, refusal)
		return nil
	}
	c.rt.count.cancelled.Add(1)
	c.audit(&trail{action: auditCancel, job: j.id, agent: j.agent, reason: p.Reason})
	return nil
}

func errNoJob() *arcp.Error { return arcp.NewError(arcp.CodeJobNotFound, "there is no such job") }

// cancelFor answers before it stops the agent, so that the answer precedes the terminal on the wire.
func (j *job) cancelFor(ctx context.Context, c *connection, s *session, requestID, reason string) *arcp.Error {
	mine := j.belongs(ctx, s)
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.conn.Load() != c {
		return nil // the session went on over another link, where the client asks again
	}
	j.mu.Lock()
	fx := j.core.Cancel(mine, reason, j.rt.now())
	refusal := fx.Refuse
	if fx.Ack && j.noteCancel(ctx, &fx) != nil {
		refusal = errMoved // and the job has, too; or the store failed
	} else if fx.Ack {
		ack := &arcp.JobCancelled{JobID: j.id, Reason: j.core.Reason(), RequestID: requestID}
		c.answer(s, j, ack, j.rt.seq.Tail(s.view))
	}
	over := fx.Refuse == nil && j.apply(&fx)
	j.mu.Unlock()
	if fx.Refuse == nil {
		j.followUp(&fx, over)
	}
	return refusal
}

// noteCancel records the first cancel: one that was answered holds, whoever has the job when it ends. The caller holds j.mu.
func (j *job) noteCancel(ctx context.Context, fx *core.JobEffects) error {
	if fx.Stop == core.NoCause {
		return nil
	}
	if err := j.log.Note(journal.TypeCancel, []byte(j.core.Reason())); err != nil {
		return err
	}
	return j.log.Flush(context.WithoutCancel(ctx))
}

// answerSlack is how much longer than a job's first accepted any other answer about it may be.
const answerSlack = 1 << 10

// answer sends what a session must hear even when its link is lost meanwhile: it is sent again on resume to a client that
// has nothing above the number after.
func (c *connection) answer(s *session, j *job, p arcp.Payload, after uint64) {
	e := c.envelope(j.id, j.trace, p)
	frame := c.encode(s, e)
	if frame != nil && s.rt.seq.Position(s.view, frame, after) == nil { // or the link is about to end
		_ = c.link.Send(e) // one that has ended is replaced by a resume
	}
}

// encode returns the frame of an answer, nil when there can be none.
func (c *connection) encode(s *session, e *arcp.Envelope) []byte {
	frame, err := e.AppendJSON(nil)
	if err == nil && len(frame) > arcp.LimitFrameOut {
		err = link.ErrFrameTooLarge // no link would take it, and so none the session
	}
	if err != nil {
		c.rt.opts.Logger.Error("answer cannot be encoded", "session", s.id, "job", e.JobID, "error", err)
		return nil
	}
	return frame
}
