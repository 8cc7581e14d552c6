package runtime

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// withDetail returns err with one detail more. Details that are no object stay alone.
func withDetail(err *arcp.Error, name string, value any) *arcp.Error {
	details := map[string]any{}
	if err.Details != nil && dynjson.Unmarshal(err.Details, &details) != nil {
		return err
	}
	details[name] = value
	if text, e := dynjson.Marshal(details); e == nil {
		err.Details = arcp.RawJSON(text)
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
	return withDetail(&plain, arcp.DetailCode, string(err.Code))
}

// agentError is what a job that ended with err tells its clients: an *arcp.Error as it is, if it can be sent, and of
// anything else only that something failed and where the operator finds it.
func agentError(err error) *arcp.Error {
	if err == nil {
		return nil
	}
	var e *arcp.Error
	switch {
	case errors.As(err, &e):
		if e != nil {
			return sendable(e)
		}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return arcp.NewError(arcp.CodeInternalError, "the agent gave up waiting")
	}
	return arcp.NewError(arcp.CodeInternalError, "the agent failed; the runtime's log has the reason under this job's id")
}

// maxMessage and maxDetails bound what an agent's error brings along, in bytes.
const (
	maxMessage = 4 << 10
	maxDetails = 64 << 10
)

// sendable is e with a message and details that fit a frame and are valid.
func sendable(e *arcp.Error) *arcp.Error {
	out := *e
	out.Message = strings.ToValidUTF8(out.Message, "\uFFFD")
	out.Message = clip(out.Message)
	if out.Code == "" || !utf8.ValidString(string(out.Code)) || len(out.Code) > arcp.LimitIDLength {
		out.Code, out.Retryable = arcp.CodeInternalError, true
	}
	if out.Message == "" {
		out.Message = string(out.Code)
	}
	if len(out.Details) > maxDetails || out.Details.Check() != nil {
		out.Details = nil
	}
	return &out
}

// taskError translates what a journal refuses into what an agent can understand.
func taskError(err error) error {
	switch {
	case errors.Is(err, journal.ErrOver), errors.Is(err, journal.ErrLost):
		return ErrJobOver
	case errors.Is(err, journal.ErrTooLarge):
		return arcp.NewError(arcp.CodeInvalidRequest, "the event is larger than one frame may be (%d bytes)", arcp.LimitFrameOut)
	}
	return err
}

// ErrJobOver is what a Task answers once its job has ended: nothing was recorded.
var ErrJobOver = errors.New("runtime: the job has ended")
