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
	if refusal == nil {
		return err
	}
	args, err := dynjson.Marshal(struct {
		Target string `json:"target"`
	}{clip(target)})
	if err == nil {
		t.deny(ctx, capability, args, refusal)
	}
	return refusal
}

// gate asks the grant. What it refuses is for the caller to record; an error is why nothing was asked.
func (t *Task) gate(ctx context.Context, capability, target string) (*arcp.Error, error) {
	j := t.job
	if j.over.Load() {
		return nil, ErrJobOver
	}
	now := j.rt.now()
	refusal := j.grant.refuse(capability, target, time.Now(), now)
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
	id := arcp.NewID(arcp.PrefixCall)
	err := t.Emit(context.WithoutCancel(ctx), &arcp.ToolCallBody{Tool: tool, Args: args, CallID: id})
	if err == nil {
		err = t.called(ctx, id, nil, refusal)
	}
	if err != nil {
		t.job.rt.opts.Logger.Warn("a refusal could not be recorded", "job", t.job.id, "error", err)
	}
}

// called records how a call ended. It does so after the job was told to stop, too.
func (t *Task) called(ctx context.Context, id string, result arcp.RawJSON, refusal *arcp.Error) error {
	body := &arcp.ToolResultBody{CallID: id, Result: result}
	if refusal != nil {
		refusal = peerCode(refusal)
		body.Error = &arcp.ToolError{Code: refusal.Code, Message: refusal.Message, Retryable: refusal.Retryable, Details: refusal.Details}
	}
	return t.Emit(context.WithoutCancel(ctx), body)
}
