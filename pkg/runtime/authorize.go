package runtime

import (
	"context"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
)

// Authorize is the gate: it says whether the job may do something now, and every operation with authority must pass it first (§9.3).
// The error is LEASE_EXPIRED from the moment on at which the lease ends, BUDGET_EXHAUSTED while nothing is left of some budget, or
// PERMISSION_DENIED for what the lease does not name. It says what was refused, and stands in the job's log as a tool_call with its
// tool_result; it does not end the job.
func (t *Task) Authorize(ctx context.Context, capability, target string) error {
	refusal, err := t.gate(ctx, capability, target)
	return t.verdict(ctx, capability, target, refusal, err)
}

// UseModel is the gate of models (§9.7): one that the lease names is allowed. A lease that names no model at all allows none, unless the
// operator lets such jobs use any.
func (t *Task) UseModel(ctx context.Context, model string) error {
	if t.job.rt.opts.AnyModel && !t.job.grant.lease.Has(arcp.NamespaceModelUse) {
		refusal, err := t.gateOpen(ctx)
		return t.verdict(ctx, arcp.NamespaceModelUse, model, refusal, err)
	}
	return t.Authorize(ctx, arcp.NamespaceModelUse, model)
}

// operation is what the log tells of an operation that was refused.
type operation struct {
	Target string `json:"target"`
}

// verdict records a refusal.
func (t *Task) verdict(ctx context.Context, capability, target string, refusal *arcp.Error, err error) error {
	if refusal == nil {
		return err
	}
	if args, err := dynjson.Marshal(operation{clip(target)}); err == nil {
		t.deny(ctx, capability, args, refusal)
	}
	return refusal
}

// gate asks the grant. What it refuses is for the caller to record; an error is why nothing was asked.
func (t *Task) gate(ctx context.Context, capability, target string) (*arcp.Error, error) {
	return t.ask(ctx, func(now time.Duration) *arcp.Error { return t.job.grant.refuse(capability, target, time.Now(), now) })
}

// gateOpen asks the grant whether anything may be done at all.
func (t *Task) gateOpen(ctx context.Context) (*arcp.Error, error) {
	return t.ask(ctx, func(now time.Duration) *arcp.Error { return t.job.grant.spent(time.Now(), now) })
}

func (t *Task) ask(ctx context.Context, refuse func(now time.Duration) *arcp.Error) (*arcp.Error, error) {
	j := t.job
	if j.closing.Load() {
		return nil, ErrJobOver
	}
	now := j.rt.now()
	refusal := refuse(now)
	switch {
	case refusal != nil && refusal.Code == arcp.CodeLeaseExpired:
		j.step(func() core.JobEffects { return j.core.Expire(now) }) // the wall clock may have been set forward
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return refusal, nil
}

// deny records an operation that was refused.
func (t *Task) deny(ctx context.Context, tool string, args arcp.RawJSON, refusal *arcp.Error) {
	id, err := t.calling(ctx, tool, args)
	if err == nil {
		err = t.called(ctx, id, nil, refusal)
	}
	if err != nil {
		t.job.rt.opts.Logger.Warn("a refusal could not be recorded", "job", t.job.id, "error", err)
	}
}

// calling records that a tool is called. Like called it does so after the job was told to stop, too.
func (t *Task) calling(ctx context.Context, tool string, args arcp.RawJSON) (id string, err error) {
	id = arcp.NewID(arcp.PrefixCall)
	return id, t.Emit(context.WithoutCancel(ctx), &arcp.ToolCallBody{Tool: tool, Args: args, CallID: id})
}

// called records how a call ended.
func (t *Task) called(ctx context.Context, id string, result arcp.RawJSON, failure *arcp.Error) error {
	body := &arcp.ToolResultBody{CallID: id, Result: result}
	if failure != nil {
		failure = peerCode(failure)
		body.Result, body.Error = nil, &arcp.ToolError{
			Code: failure.Code, Message: failure.Message, Retryable: failure.Retryable, Details: failure.Details,
		}
	}
	return t.Emit(context.WithoutCancel(ctx), body)
}
