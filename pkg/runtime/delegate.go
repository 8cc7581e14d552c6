package runtime

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// Delegation is what one job asks of another agent of its runtime (§10).
type Delegation struct {
	Agent string       // name or name@version
	Input arcp.RawJSON // any JSON text; nil is none

	// Lease is what the child may do. Ceilings that it leaves out, cost.budget and model.use, are the parent's, any other namespace is
	// denied. What it names in cost.budget is set aside for the child, and what the child leaves of it comes back when it ends;
	// a currency it leaves out is spent from the parent's counter.
	Lease arcp.Lease
	// Constraints may end the child's lease before the parent's, and cap its budget. Nil is none.
	Constraints *arcp.LeaseConstraints
	// MaxRuntime is how long the child may run, in whole seconds; 0 is as long as its parent.
	MaxRuntime time.Duration
}

// Delegate starts a job that works for this one. The lease must allow agent.delegate on the agent's name, or on its name@version, and
// everything that the child asks for, or the error is PERMISSION_DENIED or LEASE_SUBSET_VIOLATION. It is RATE_LIMITED when the job has
// as many unfinished children as it may have, and PERMISSION_DENIED when too many jobs stand above it. A refusal is in the job's log, as a tool_call with
// its tool_result; a child is there as delegate, and its end as tool_result with the child's id.
//
// The child belongs to the principal of its parent, and to the session that submitted the first of them; nothing of it is sent to a session
// that does not subscribe to it. Children still running when their parent's agent returns, or is told to stop, are cancelled, and end
// before it. The context bounds the call, not the child.
func (t *Task) Delegate(ctx context.Context, d *Delegation) (*Child, error) {
	if d == nil {
		return nil, arcp.NewError(arcp.CodeInvalidRequest, "there is nothing to delegate")
	}
	ctx, end := t.job.rt.span(ctx, arcp.SpanDelegate, slog.String(arcp.AttrJobParentID, t.job.id), slog.String(arcp.AttrAgent, d.Agent))
	child, err := t.delegate(ctx, d)
	if err != nil {
		end(err)
		return nil, err
	}
	end(nil, slog.String(arcp.AttrJobID, child.job.id))
	return child, nil
}

func (t *Task) delegate(ctx context.Context, d *Delegation) (*Child, error) {
	agent, name, unknown := t.job.rt.agents.resolve(d.Agent)
	refusal, err := t.gate(ctx, arcp.NamespaceAgentDelegate, t.askedFor(d.Agent, name))
	if err != nil {
		return nil, err
	}
	if refusal == nil {
		refusal = unknown
	}
	var child *job
	var jobCtx context.Context
	if refusal == nil {
		child, jobCtx, refusal = t.newChild(ctx, d, name)
	}
	if refusal != nil {
		return nil, t.refused(ctx, d, refusal)
	}
	t.job.bear(child)
	if err := t.job.announce(ctx, child); err != nil {
		child.stopFor(arcp.ReasonParentEnded)
		child.returned(nil)
		return nil, err
	}
	child.rt.audit(&trail{
		action: auditDelegate, principal: child.principal, session: child.owner.id, job: child.id, agent: child.agent, parent: t.job.id,
	})
	child.attend()
	go child.run(jobCtx, agent)
	return &Child{child}, nil
}

// askedFor is what the gate is asked for: the name of the agent, or if the lease does not have it with its version.
func (t *Task) askedFor(asked, resolved string) string {
	if resolved == "" {
		resolved = asked
	}
	name, _, _ := strings.Cut(asked, "@")
	if t.job.grant.lease.Covers(arcp.NamespaceAgentDelegate, name) {
		return name
	}
	return resolved
}

// refused records that a delegation came to nothing, and returns why.
func (t *Task) refused(ctx context.Context, d *Delegation, refusal *arcp.Error) error {
	if refusal == errStopping {
		return ErrJobOver
	}
	t.job.rt.audit(&trail{
		action: auditDelegate, principal: t.job.principal, session: t.job.owner.id, agent: d.Agent, parent: t.job.id, refusal: refusal,
	})
	asked := arcp.JobSubmit{Agent: d.Agent, LeaseRequest: d.Lease, LeaseConstraints: d.Constraints}
	args, err := asked.AppendJSON(nil)
	if err != nil || len(args) > maxReported {
		args = nil // what was asked is too much to be repeated, or is no text
	}
	t.deny(ctx, arcp.NamespaceAgentDelegate, args, refusal)
	return refusal
}

// newChild accepts a job for an agent that is known: it is a child of this one, recorded, and does not run yet.
func (t *Task) newChild(ctx context.Context, d *Delegation, agent string) (*job, context.Context, *arcp.Error) {
	p := t.job
	if d.Input != nil {
		if err := d.Input.Check(); err != nil {
			return nil, nil, arcp.NewError(arcp.CodeInvalidRequest, "the input is no JSON: %v", err)
		}
	}
	tr := p.traceFor(ctx)
	j := &job{
		rt: p.rt, id: arcp.NewID(arcp.PrefixJob), agent: agent, principal: p.principal, owner: p.owner, trace: tr.id, span: tr.parent,
		created: time.Now().UTC(),
	}
	j.asked.maxRuntime = d.MaxRuntime.Truncate(time.Second)
	j.task = &Task{job: j, input: append(arcp.RawJSON(nil), d.Input...), attempt: 1}
	jobCtx := j.context()
	refusal := j.join(p)
	if refusal != nil {
		return nil, nil, refusal
	}
	if refusal = j.admitChild(ctx, d); refusal != nil {
		j.uncount()
		if k := j.keys.Load(); k != nil {
			k.end()
		}
		if j.grant != nil {
			j.grant.purse.end()
		}
		j.cancel(refusal)
		j.part()
		return nil, nil, refusal
	}
	j.charge()
	p.rt.count.submitted.Add(1)
	return j, jobCtx, nil
}

// admitChild gives the child its grant, a place among the jobs of its session and its principal, and a log.
func (j *job) admitChild(ctx context.Context, d *Delegation) *arcp.Error {
	var refusal *arcp.Error
	if j.grant, refusal = j.kin.parent.grant.delegate(d, j.created, j.rt.now()); refusal != nil {
		return refusal
	}
	j.core = core.NewJob(j.rt.now(), j.asked.maxRuntime, j.rt.opts.Limits.CancelGrace, j.grant.expiry)
	if most := j.rt.opts.Limits.SessionJobs; j.owner.unfinished.Load() >= most {
		return overLimit(arcp.CodeRateLimited, limitSessionJobs, most)
	}
	if refusal = j.claim(); refusal != nil {
		return refusal
	}
	if j.kin.parent.keys.Load() != nil { // of whoever is shown those of the parent, or the child could not do what its parent can
		if refusal = j.provision(ctx, nil); refusal != nil {
			return refusal
		}
	}
	return j.recordChild()
}

// traceFor is the trace of a child: below the active span of the context, if that is one of the job's trace.
func (j *job) traceFor(ctx context.Context) trace {
	parent := Traceparent(ctx)
	if id, _ := arcp.ParseTraceID(parent); id != j.trace {
		parent = j.span
	}
	return trace{j.trace, parent}
}

// recordChild lists the child and opens its log, to which no session is attached.
func (j *job) recordChild() *arcp.Error {
	j.asked.message = arcp.NewID(arcp.PrefixMessage)
	frame := j.acceptedFrame()
	if frame == nil || len(frame) > arcp.LimitFrameOut-answerSlack {
		return arcp.NewError(arcp.CodeInvalidRequest, "the child's lease would not fit a frame")
	}
	line, err := j.accepted("").AppendJSON(nil)
	j.line = line
	var told []byte
	if err == nil {
		told, err = j.tell(nil)
	}
	var log *journal.Log
	if err == nil {
		log, err = j.rt.seq.OpenLog(&journal.NewLog{
			Node: j.rt.node.ID(), JobID: j.id, TraceID: j.trace, Accepted: frame, Row: j.row(arcp.StatusRunning), Snapshot: told,
		})
	}
	if err != nil {
		j.rt.storeError("child cannot be recorded", err, "parent", j.kin.of)
		return arcp.NewError(arcp.CodeInternalError, "the child could not be recorded")
	}
	j.log = log
	if !j.rt.admitJob(j) {
		j.rt.forget([]*job{j})
		return errShuttingDown
	}
	return nil
}

// announce records the child in the parent's log; without its input if the two do not fit a frame.
func (j *job) announce(ctx context.Context, child *job) error {
	body := arcp.DelegateBody{ChildJobID: child.id, Agent: child.agent, Lease: child.grant.lease, Input: child.task.Input()}
	ev := arcp.JobEvent{Kind: arcp.KindDelegate, TS: child.created, Body: &body}
	err := j.spend(ctx, &ev, arcp.Budget{})
	if errors.Is(err, journal.ErrTooLarge) {
		body.Input = nil
		err = j.spend(ctx, &ev, arcp.Budget{})
	}
	return taskError(err)
}
