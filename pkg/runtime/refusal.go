package runtime

import (
	"context"
	"errors"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// withDetail returns err with one detail.
func withDetail(err *arcp.Error, name string, value any) *arcp.Error {
	if details, e := dynjson.Marshal(map[string]any{name: value}); e == nil {
		err.Details = arcp.RawJSON(details)
	}
	return err
}

// peerCode is the code the draft knows for one it does not list; the original goes into the details (§12).
func peerCode(err *arcp.Error) *arcp.Error {
	to := err.Code.Draft()
	if to == err.Code {
		return err
	}
	plain := *err
	plain.Code = to
	if plain.Details == nil {
		return withDetail(&plain, arcp.DetailCode, string(err.Code))
	}
	return &plain
}

// agentError is what a job that ended with err tells its clients: an *arcp.Error as it is, anything else only that
// something failed and where the operator finds it.
func (rt *Runtime) agentError(j *job, err error) *arcp.Error {
	if err == nil {
		return nil
	}
	var e *arcp.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		e = arcp.NewError(arcp.CodeInternalError, "the agent gave up: %v", err)
	default:
		e = arcp.NewError(arcp.CodeInternalError, "the agent failed; the runtime's log has the reason under this job's id")
	}
	rt.opts.Logger.Error("agent failed", "job", j.id, "agent", j.agent, "error", err)
	return e
}

// taskError translates what a journal refuses into what an agent can understand.
func taskError(err error) error {
	switch {
	case errors.Is(err, journal.ErrOver):
		return ErrJobOver
	case errors.Is(err, journal.ErrTooLarge):
		return arcp.NewError(arcp.CodeInvalidRequest, "the event is larger than one frame may be (%d bytes)", arcp.LimitFrameOut)
	}
	return err
}

// ErrJobOver is what a Task answers once its job has ended: nothing was recorded.
var ErrJobOver = errors.New("runtime: the job has ended")
