package runtime

import (
	"context"
	"errors"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// subscribe lets a session follow a job: what it is like now, history if asked for, then what happens (§7.6).
func (c *connection) subscribe(ctx context.Context, s *session, e *arcp.Envelope, p *arcp.JobSubscribe) error {
	j, done, refusal := s.observable(ctx, p.JobID)
	defer done()
	if refusal == nil {
		refusal = j.loaded(ctx)
	}
	if refusal == nil {
		refusal = c.follow(s, j, e.ID, p)
	}
	if refusal != nil {
		c.refuse(e, refusal)
		return nil
	}
	c.rt.count.subscribed.Add(1)
	c.audit(&trail{action: auditSubscribe, job: j.id, agent: j.agent})
	return nil
}

// observable returns a job the session may follow: its principal's own, and those the policy opens to it. Done must be called, whatever
// is returned.
func (s *session) observable(ctx context.Context, id string) (_ *job, done func(), _ *arcp.Error) {
	j, done := s.rt.borrow(ctx, id)
	if j == nil {
		return nil, done, errNoJob()
	}
	may := j.principal == s.principal
	if !may && s.rt.opts.Observe != nil {
		may = s.rt.opts.Observe(s.principal, j.principal, j.agent)
	}
	if !may {
		return j, done, errNoJob()
	}
	return j, done, nil
}

// follow attaches the view. The writer is held until the answer is on its way, which so precedes what the attach brings.
func (c *connection) follow(s *session, j *job, requestID string, p *arcp.JobSubscribe) *arcp.Error {
	isNew, refusal := s.observe(j)
	if refusal != nil {
		return refusal
	}
	from := journal.Live
	if p.History {
		from = p.FromEventSeq
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.conn.Load() != c {
		if isNew {
			s.unobserve(j)
		}
		return nil // the session went on over another link, where the client asks again
	}
	s.view.Hold()
	defer s.view.Release()
	j.mu.Lock() // the status is that of the cut
	defer j.mu.Unlock()
	s.wholeFor(j)
	var out *arcp.Envelope
	err := s.rt.seq.Attach(s.view, j.log, from, func(cut, after uint64) []byte {
		if s.rt.forgot(j) {
			return nil
		}
		e := c.envelope(j.id, j.trace, &arcp.JobSubscribed{
			JobID: j.id, CurrentStatus: j.statusAt(cut), Agent: j.agent, Lease: j.grant.lease, LeaseConstraints: j.grant.constraints,
			Budget: j.budgetLeft(), TraceID: j.trace, ParentJobID: j.kin.of,
			SubscribedFrom: min(from, cut), Replayed: p.History && from < cut, RequestID: requestID, AfterEventSeq: after,
		})
		frame := c.encode(s, e)
		if frame != nil {
			out = e
		}
		return frame
	})
	if (err != nil || out == nil) && isNew { // what it was subscribed to before it stays
		s.unobserve(j)
	}
	switch {
	case errors.Is(err, journal.ErrTrimmed):
		trimmed := arcp.NewError(arcp.CodeResumeWindowExpired, "/payload/from_event_seq: the job no longer keeps what follows")
		trimmed.Retryable = false
		return withDetail(trimmed, arcp.DetailFirst, j.log.First())
	case err != nil:
		return nil // the link is about to end, and the client asks again
	case out == nil:
		return errNoJob()
	}
	_ = c.link.Send(c.withCredentials(s, j, out))
	return nil
}

// unsubscribe ends a subscription; the stream of a job that the session submitted goes on (§7.6).
func (c *connection) unsubscribe(ctx context.Context, s *session, e *arcp.Envelope, p *arcp.JobUnsubscribe) error {
	j, done, refusal := s.observable(ctx, p.JobID)
	defer done()
	if refusal != nil && (j == nil || !s.observes(j)) { // one whose policy has changed may still let go
		c.refuse(e, refusal)
		return nil
	}
	s.unobserve(j)
	if !s.keeps(j) {
		s.rt.seq.Detach(s.view, j.log)
	}
	return nil
}

// forgot says whether a job of this node has been forgotten while somebody had it in hands. What is attached before that is detached then.
func (rt *Runtime) forgot(j *job) bool {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return !j.remote.Load() && rt.jobs[j.id] != j
}

// observes says whether the session has subscribed to a job.
func (s *session) observes(j *job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.observed[j.id] != nil
}

// keeps says whether the session is given all of a job whatever it subscribes to: it submitted the job, or found it by its key.
func (s *session) keeps(j *job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.submittedIn(s.id) || s.adopted[j.id] != nil
}

// wholeFor puts a streamed result that is complete together, for a session that takes no chunks (§8.4).
func (s *session) wholeFor(j *job) {
	if !s.has(arcp.FeatureResultChunk) && !j.remote.Load() {
		j.log.Substitute(j.alt)
	}
}
