package runtime

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// session is a client's identity and its numbered view of jobs.
type session struct {
	conn      *connection
	rt        *Runtime
	id        string
	principal string
	features  []arcp.Feature
	view      *journal.View
	jobs      atomic.Int64 // unfinished ones it submitted
}

func (s *session) close() {
	s.view.SetReader(nil)
	if err := s.rt.seq.CloseView(context.Background(), s.view); err != nil {
		s.rt.opts.Logger.Error("view cannot be removed", "session", s.id, "error", err)
	}
	s.rt.opts.Logger.Info("session closed", "session", s.id)
}

func (s *session) has(f arcp.Feature) bool { return slices.Contains(s.features, f) }

// cancel ends a job for the session that submitted it (§7.4).
func (s *session) cancel(e *arcp.Envelope, p *arcp.JobCancel) error {
	id := e.JobID
	switch {
	case id == "":
		id = p.JobID
	case p.JobID != "" && p.JobID != id:
		s.conn.refuse(e, arcp.NewError(arcp.CodeInvalidRequest, "/payload/job_id: differs from the envelope's"))
		return nil
	}
	if id == "" {
		s.conn.refuse(e, arcp.NewError(arcp.CodeInvalidRequest, "/payload/job_id: missing"))
		return nil
	}
	j := s.visible(id)
	if j == nil {
		s.conn.refuse(e, arcp.NewError(arcp.CodeJobNotFound, "there is no such job"))
		return nil
	}
	if refusal := j.cancelFor(s, e.ID, p.Reason); refusal != nil {
		s.conn.refuse(e, refusal)
	}
	return nil
}

// visible returns a job the session may know of; one of another principal is as if it did not exist (§6.6).
func (s *session) visible(id string) *job {
	s.rt.mu.Lock()
	defer s.rt.mu.Unlock()
	if j := s.rt.jobs[id]; j != nil && j.principal == s.principal {
		return j
	}
	return nil
}

// cancelFor answers before it stops the agent, so that the answer precedes the terminal on the wire.
func (j *job) cancelFor(s *session, requestID, reason string) *arcp.Error {
	j.mu.Lock()
	fx := j.core.Cancel(s.id, reason, j.rt.now())
	if fx.Ack {
		if fx.Stop != core.NoCause {
			_ = j.log.Note(journal.TypeCancel, []byte(j.core.Reason()))
		}
		ack := &arcp.JobCancelled{JobID: j.id, Reason: j.core.Reason(), RequestID: requestID}
		_ = s.conn.sendAbout(j.id, j.trace, ack)
	}
	over := fx.Refuse == nil && j.apply(&fx)
	j.mu.Unlock()
	if over {
		j.finished()
	}
	return fx.Refuse
}

// source feeds the link's writer from the view.
func (s *session) source() link.Source { return viewSource{s} }

type viewSource struct{ s *session }

// Fill moves the next frames of the view into the batch. A reader that is too far behind is told so and cut.
func (v viewSource) Fill(b *link.Batch) (more bool, err error) {
	buf, ends, maxBytes, maxFrames := b.Lend()
	buf, ends, more, err = v.s.view.AppendFrames(buf, ends, maxBytes, maxFrames)
	b.Return(buf, ends)
	if errors.Is(err, journal.ErrOverrun) {
		s := v.s
		s.rt.opts.Logger.Warn("slow reader cut", "session", s.id)
		refusal := arcp.NewError(arcp.CodeBackpressure, "the session does not read its events")
		_ = s.conn.send(sessionError(refusal, "", ""))
	}
	return more, err
}
