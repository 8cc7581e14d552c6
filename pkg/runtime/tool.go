package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// Tool does something for a job that calls it by name (§9.2, tool.call). Args is the JSON that the agent gave, nil for none, and what it
// returns is JSON too, nil for null. Errors are for the agent; other than an *arcp.Error they are not shown to clients.
type Tool func(ctx context.Context, t *Task, args arcp.RawJSON) (arcp.RawJSON, error)

// NewTool makes a tool of a function from a Go value to a Go value. Arguments are decoded strictly: what does not fit In is INVALID_REQUEST, and
// f is not called.
func NewTool[In, Out any](f func(ctx context.Context, t *Task, in In) (Out, error)) Tool {
	return func(ctx context.Context, t *Task, args arcp.RawJSON) (arcp.RawJSON, error) {
		var in In
		if args != nil {
			if err := dynjson.Unmarshal(args, &in); err != nil {
				return nil, arcp.NewError(arcp.CodeInvalidRequest, "/args: %v", err)
			}
		}
		out, err := f(ctx, t, in)
		if err != nil {
			return nil, err
		}
		return dynjson.Marshal(out)
	}
}

// tools are what agents may call.
type tools struct {
	mu     sync.RWMutex
	byName map[string]Tool
}

// HandleTool registers a tool under a name, which patterns of tool.call match. It may be called from any goroutine, and fails on a name that is
// empty, holds a wildcard or is taken.
func (rt *Runtime) HandleTool(name string, tool Tool) error {
	exact := arcp.Lease{arcp.NamespaceToolCall: {name}}
	if tool == nil || strings.ContainsRune(name, '*') || !exact.Covers(arcp.NamespaceToolCall, name) {
		return fmt.Errorf("runtime: tool %q has no function, or not a name that a lease can allow", name)
	}
	rt.tools.mu.Lock()
	defer rt.tools.mu.Unlock()
	if rt.tools.byName[name] != nil {
		return fmt.Errorf("runtime: tool %q is registered already", name)
	}
	if rt.tools.byName == nil {
		rt.tools.byName = map[string]Tool{}
	}
	rt.tools.byName[name] = tool
	return nil
}

func (ts *tools) find(name string) Tool {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.byName[name]
}

// Call asks the gate and runs a registered tool. The log gets a tool_call, and a tool_result with what came of it. The error is the gate's, as of
// Authorize, INVALID_REQUEST when there is no such tool, or the tool's own. Ctx is the tool's, too.
func (t *Task) Call(ctx context.Context, tool string, args arcp.RawJSON) (arcp.RawJSON, error) {
	refusal, err := t.gate(ctx, arcp.NamespaceToolCall, tool)
	if err != nil {
		return nil, err
	}
	id, err := t.calling(ctx, clip(tool), args)
	if err != nil {
		return nil, err
	}
	run := t.job.rt.tools.find(tool)
	if refusal == nil && run == nil {
		refusal = arcp.NewError(arcp.CodeInvalidRequest, "there is no tool %q", clip(tool))
	}
	if refusal != nil {
		if err := t.called(ctx, id, nil, refusal); err != nil {
			t.job.rt.opts.Logger.Warn("a refusal could not be recorded", "job", t.job.id, "error", err)
		}
		return nil, refusal
	}
	result, failure := t.runTool(ctx, run, args)
	if result == nil && failure == nil {
		result = arcp.RawJSON("null")
	}
	err = t.called(ctx, id, result, t.toolFailure(tool, t.job.keys.Load().clean(failure)))
	var unfit *arcp.Error
	if failure == nil && errors.As(err, &unfit) { // a result that is no JSON, or larger than a frame
		failure = unfit
		err = t.called(ctx, id, nil, sendable(unfit))
	}
	if failure == nil && err != nil {
		return nil, err
	}
	if failure != nil {
		return nil, failure
	}
	return result, nil
}

// runTool turns a panic into an error.
func (t *Task) runTool(ctx context.Context, run Tool, args arcp.RawJSON) (_ arcp.RawJSON, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return run(ctx, t, args)
}

// toolFailure is what clients are told of a tool's error; the operator is told all of one that they are not.
func (t *Task) toolFailure(tool string, err error) *arcp.Error {
	if err == nil {
		return nil
	}
	var chosen *arcp.Error
	if errors.As(err, &chosen) && chosen != nil {
		return sendable(chosen)
	}
	t.job.rt.opts.Logger.Warn("tool failed", "job", t.job.id, "tool", tool, "error", err)
	return arcp.NewError(arcp.CodeInternalError, "the tool failed; the runtime's log has the reason under this job's id")
}
