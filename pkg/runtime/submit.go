package runtime

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// submit accepts a job or refuses it; nothing is kept of a refused one (§7.1).
func (c *connection) submit(ctx context.Context, s *session, e *arcp.Envelope, p *arcp.JobSubmit) error {
	if c.shows(s) {
		c.submitLater(ctx, s, e, p)
		return nil
	}
	return c.submitNow(ctx, s, e, p)
}

func (c *connection) submitNow(ctx context.Context, s *session, e *arcp.Envelope, p *arcp.JobSubmit) error {
	if p.IdempotencyKey != "" {
		return c.submitOnce(ctx, s, e, p)
	}
	c.accept(ctx, s, e, p, nil)
	return nil
}

// accept makes a job of a submit and starts it; nil when it was refused. Reserve, if there is one, runs before anything is recorded.
func (c *connection) accept(ctx context.Context, s *session, e *arcp.Envelope, p *arcp.JobSubmit, reserve func(*job) *arcp.Error) *job {
	agent, name, g, refusal := s.admit(p)
	if refusal != nil {
		c.refuse(e, refusal)
		return nil
	}
	j, jobCtx := s.newJob(e, p, name, g)
	if refusal = c.prepare(ctx, s, j, reserve); refusal == nil {
		refusal = c.begun(s, j, e.ID, func() { go j.run(jobCtx, agent) })
	}
	if refusal == nil {
		return j
	}
	j.uncount()
	j.cancel(refusal)
	if k := j.keys.Load(); k != nil {
		k.end()
	}
	if refusal != errKeyTaken && refusal != errMoved {
		c.refuse(e, refusal)
	}
	return nil
}

// prepare gives a job that is not recorded yet what it needs: a place, its idempotency key and its credentials.
func (c *connection) prepare(ctx context.Context, s *session, j *job, reserve func(*job) *arcp.Error) *arcp.Error {
	if refusal := j.claim(); refusal != nil {
		return refusal
	}
	if reserve != nil {
		if refusal := reserve(j); refusal != nil {
			return refusal
		}
	}
	if !c.shows(s) {
		return nil
	}
	refusal := j.provision(ctx, nil)
	if ctx.Err() != nil {
		return errMoved
	}
	return refusal
}

// begun records a job, answers for it, and has it started.
func (c *connection) begun(s *session, j *job, requestID string, start func()) *arcp.Error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.conn.Load() != c {
		return errMoved // the session went on over another link, where the client asks again
	}
	accepted := c.envelope(j.id, j.trace, j.accepted(requestID))
	if refusal := s.record(j, accepted, requestID); refusal != nil {
		return refusal
	}
	j.charge()
	c.rt.count.submitted.Add(1)
	c.audit(&trail{action: auditSubmit, job: j.id, agent: j.agent})
	// The control lane is written before events, so accepted precedes the job's first. Should the link be lost, the view
	// has the frame for the next.
	_ = c.link.Send(c.withCredentials(s, j, accepted))
	j.attend()
	start()
	return nil
}

// admit checks what a submit asks for, and grants it.
func (s *session) admit(p *arcp.JobSubmit) (a Agent, name string, g *grant, refusal *arcp.Error) {
	if refusal := s.unnegotiated(p); refusal != nil {
		return nil, "", nil, refusal
	}
	if !s.rt.takesJobs() {
		return nil, "", nil, errShuttingDown
	}
	if s.owner.unfinished.Load() >= s.rt.opts.Limits.SessionJobs {
		return nil, "", nil, overLimit(arcp.CodeRateLimited, limitSessionJobs, s.rt.opts.Limits.SessionJobs)
	}
	if a, name, refusal = s.rt.agents.resolve(p.Agent); refusal == nil {
		g, refusal = newGrant(p, time.Now(), s.rt.now())
	}
	return a, name, g, refusal
}

// unnegotiated refuses what a client asks for without having agreed on it.
func (s *session) unnegotiated(p *arcp.JobSubmit) *arcp.Error {
	needs := func(pointer string, f arcp.Feature) *arcp.Error {
		return arcp.NewError(arcp.CodeInvalidRequest, "%s: needs the feature %q, which was not negotiated", pointer, string(f))
	}
	lc := p.LeaseConstraints
	switch {
	case p.ParentJobID != "":
		return arcp.NewError(arcp.CodeInvalidRequest, "/payload/parent_job_id: is never taken from a client")
	case strings.Contains(p.Agent, "@") && !s.has(arcp.FeatureAgentVersions):
		return needs("/payload/agent", arcp.FeatureAgentVersions)
	case p.LeaseRequest.Has(arcp.NamespaceCostBudget) && !s.has(arcp.FeatureCostBudget):
		return needs("/payload/lease_request/"+arcp.NamespaceCostBudget, arcp.FeatureCostBudget)
	case p.LeaseRequest.Has(arcp.NamespaceModelUse) && !s.has(arcp.FeatureModelUse):
		return needs("/payload/lease_request/"+arcp.NamespaceModelUse, arcp.FeatureModelUse)
	case lc != nil && !lc.ExpiresAt.IsZero() && !s.has(arcp.FeatureLeaseExpiresAt):
		return needs("/payload/lease_constraints/expires_at", arcp.FeatureLeaseExpiresAt)
	case lc != nil && len(lc.MaxBudget) > 0 && !s.has(arcp.FeatureCostBudget):
		return needs("/payload/lease_constraints/max_budget", arcp.FeatureCostBudget)
	}
	return nil
}

// newJob copies what it keeps of the submit: strings of a frame share memory with their neighbours.
func (s *session) newJob(e *arcp.Envelope, p *arcp.JobSubmit, agent string, g *grant) (*job, context.Context) {
	j := &job{
		rt: s.rt, id: arcp.NewID(arcp.PrefixJob), agent: agent, principal: s.principal, owner: s.owner,
		grant: g, created: time.Now().UTC(),
	}
	tr := traceOf(e)
	j.trace, j.span = tr.id, tr.parent
	if p.MaxRuntimeSec != nil {
		j.asked.maxRuntime = seconds(*p.MaxRuntimeSec)
	}
	j.core = core.NewJob(s.rt.now(), j.asked.maxRuntime, s.rt.opts.Limits.CancelGrace, g.expiry)
	j.task = &Task{job: j, input: append(arcp.RawJSON(nil), p.Input...), attempt: 1}
	return j, j.context()
}

// context is what the agent is called with.
func (j *job) context() context.Context {
	ctx := context.WithValue(context.Background(), traceKey{}, trace{j.trace, j.span})
	ctx = context.WithValue(ctx, principalKey{}, j.principal)
	ctx, j.cancel = context.WithCancelCause(ctx)
	return ctx
}

func (j *job) accepted(requestID string) *arcp.JobAccepted {
	return &arcp.JobAccepted{
		RequestID: requestID, JobID: j.id, Agent: j.agent, Lease: j.grant.lease, LeaseConstraints: j.grant.constraints,
		Budget: j.grant.budget, AcceptedAt: j.created, TraceID: j.trace,
		ParentJobID: j.kin.of,
	}
}

// errMoved says that another node has the session by now, where its client asks again. It is not answered.
var errMoved = arcp.NewError(arcp.CodeInternalError, "the session went on at another node")

// record lists the job and opens its log with its accepted message, attached to the session's view.
func (s *session) record(j *job, accepted *arcp.Envelope, requestID string) *arcp.Error {
	frame, err := accepted.AppendJSON(nil)
	slack := answerSlack
	if j.keys.Load() != nil {
		slack += credentialBytes
	}
	if len(frame) > arcp.LimitFrameOut-slack {
		return arcp.NewError(arcp.CodeInvalidRequest, "/payload/lease_request: the answer with this lease would not fit a frame")
	}
	if err == nil {
		j.line, err = j.accepted("").AppendJSON(nil)
	}
	j.asked.message, j.asked.request = accepted.ID, strings.Clone(requestID)
	var told []byte
	if err == nil {
		told, err = j.tell(nil)
	}
	if err == nil {
		j.log, err = s.rt.seq.OpenLog(&journal.NewLog{
			Node: s.rt.node.ID(), JobID: j.id, TraceID: j.trace, Accepted: frame, Row: j.row(arcp.StatusRunning), Snapshot: told, Owner: s.view,
		})
	}
	if errors.Is(err, journal.ErrLost) {
		return errMoved
	}
	if err != nil {
		s.rt.storeError("job cannot be recorded", err, "session", s.id)
		return arcp.NewError(arcp.CodeInternalError, "the job could not be recorded")
	}
	if !s.rt.admitJob(j) {
		s.rt.forget([]*job{j})
		return errShuttingDown
	}
	return nil
}

var errShuttingDown = arcp.NewError(arcp.CodeInternalError, "the runtime is shutting down")

// takesJobs says whether it is of use to record a job: admitJob decides.
func (rt *Runtime) takesJobs() bool {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return !rt.stopping
}

// admitJob lists a job as running, unless the runtime is stopping.
func (rt *Runtime) admitJob(j *job) bool {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.stopping {
		return false
	}
	rt.jobs[j.id] = j
	rt.running++
	return true
}
