package runtime

import (
	"context"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// submit accepts a job or refuses it; nothing is kept of a refused one (§7.1).
func (s *session) submit(e *arcp.Envelope, p *arcp.JobSubmit) error {
	agent, name, refusal := s.admit(p)
	if refusal != nil {
		s.conn.refuse(e, refusal)
		return nil
	}
	j, ctx := s.newJob(e, p, name)
	accepted := j.accepted(e.ID)
	if err := s.record(ctx, j, accepted); err != nil {
		j.cancel(err)
		s.rt.opts.Logger.Error("job cannot be recorded", "session", s.id, "error", err)
		s.conn.refuse(e, arcp.NewError(arcp.CodeInternalError, "the job could not be recorded"))
		return nil
	}
	if !s.rt.admitJob(j) {
		s.conn.refuse(e, arcp.NewError(arcp.CodeInternalError, "the runtime is shutting down"))
		return nil
	}
	s.jobs.Add(1)
	// The control lane is written before events, so accepted precedes the job's first.
	err := s.conn.sendAbout(j.id, j.trace, accepted)
	go j.run(ctx, agent)
	return err
}

// admit checks what a submit asks for.
func (s *session) admit(p *arcp.JobSubmit) (Agent, string, *arcp.Error) {
	if err := s.unbuilt(p); err != nil {
		return nil, "", err
	}
	if s.jobs.Load() >= int64(s.rt.opts.MaxJobs) {
		return nil, "", arcp.NewError(arcp.CodeRateLimited, "the session has %d unfinished jobs, as many as it may", s.rt.opts.MaxJobs)
	}
	return s.rt.agents.resolve(p.Agent)
}

// unbuilt refuses what this runtime would otherwise silently leave out.
func (s *session) unbuilt(p *arcp.JobSubmit) *arcp.Error {
	needs := func(pointer string, f arcp.Feature) *arcp.Error {
		return arcp.NewError(arcp.CodeInvalidRequest, "%s: needs the feature %q, which was not negotiated", pointer, string(f))
	}
	c := p.LeaseConstraints
	switch {
	case strings.Contains(p.Agent, "@") && !s.has(arcp.FeatureAgentVersions):
		return needs("/payload/agent", arcp.FeatureAgentVersions)
	case p.LeaseRequest.Has(arcp.NamespaceCostBudget):
		return needs("/payload/lease_request/"+arcp.NamespaceCostBudget, arcp.FeatureCostBudget)
	case p.LeaseRequest.Has(arcp.NamespaceModelUse):
		return needs("/payload/lease_request/"+arcp.NamespaceModelUse, arcp.FeatureModelUse)
	case c != nil && !c.ExpiresAt.IsZero():
		return needs("/payload/lease_constraints/expires_at", arcp.FeatureLeaseExpiresAt)
	case c != nil && len(c.MaxBudget) > 0:
		return needs("/payload/lease_constraints/max_budget", arcp.FeatureCostBudget)
	case p.IdempotencyKey != "":
		return arcp.NewError(arcp.CodeInvalidRequest, "/payload/idempotency_key: this runtime keeps no keys yet")
	}
	return nil
}

func (s *session) newJob(e *arcp.Envelope, p *arcp.JobSubmit, agent string) (*job, context.Context) {
	j := &job{
		rt: s.rt, id: arcp.NewID(arcp.PrefixJob), agent: agent, principal: s.principal,
		trace: traceOf(e.TraceID), created: time.Now().UTC(), unfinished: &s.jobs,
	}
	var maxRuntime time.Duration
	if p.MaxRuntimeSec != nil {
		maxRuntime = seconds(*p.MaxRuntimeSec)
	}
	j.core = core.NewJob(s.id, s.rt.now(), maxRuntime, s.rt.opts.CancelGrace)
	lease := p.LeaseRequest.Clone()
	if lease == nil {
		lease = arcp.Lease{}
	}
	j.task = &Task{job: j, input: append(arcp.RawJSON(nil), p.Input...), lease: lease}
	ctx := context.WithValue(context.Background(), traceKey{}, j.trace)
	ctx = context.WithValue(ctx, principalKey{}, j.principal)
	ctx, j.cancel = context.WithCancelCause(ctx)
	return j, ctx
}

func (j *job) accepted(requestID string) *arcp.JobAccepted {
	return &arcp.JobAccepted{
		RequestID: requestID, JobID: j.id, Agent: j.agent, Lease: j.task.lease, AcceptedAt: j.created, TraceID: j.trace,
	}
}

// record opens the job's log with its accepted message, attached to the session's view.
func (s *session) record(ctx context.Context, j *job, accepted *arcp.JobAccepted) (err error) {
	e := arcp.Envelope{ID: arcp.NewID(arcp.PrefixMessage), SessionID: s.id, JobID: j.id, TraceID: j.trace, Payload: accepted}
	frame, err := e.AppendJSON(nil)
	if err != nil {
		return err
	}
	j.log, err = s.rt.seq.OpenLog(ctx, &journal.NewLog{
		Node: s.rt.node.ID(), JobID: j.id, TraceID: j.trace, Accepted: frame, Row: j.row(arcp.StatusPending), Owner: s.view,
	})
	return err
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
