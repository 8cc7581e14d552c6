package runtime

import (
	"context"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Child is a job that another one has delegated, as its parent's agent has it. Its methods may be called from any goroutine.
type Child struct{ job *job }

// JobID returns the child's id.
func (c *Child) JobID() string { return c.job.id }

// Agent returns the full name of the child's agent, name@version.
func (c *Child) Agent() string { return c.job.agent }

// Lease returns a copy of what the child may do.
func (c *Child) Lease() arcp.Lease { return c.job.grant.lease.Clone() }

// Result waits until the child has ended and returns its result; the error is the *arcp.Error that it ended with, or why ctx ended. A
// result that was streamed comes in one piece, text that is not JSON as a string and base64 as its text, as long as a frame takes
// it: past that it is INTERNAL_ERROR, and the child's events have it.
func (c *Child) Result(ctx context.Context) (arcp.RawJSON, error) {
	select {
	case <-c.job.kin.ended:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	end := &c.job.kin.end
	switch {
	case end.lost != nil:
		return nil, end.lost
	case end.failure != nil:
		return nil, end.failure
	case end.result.ResultSize == nil:
		return end.result.Result, nil
	}
	if err := c.job.log.Flush(ctx); err != nil {
		return nil, taskError(err)
	}
	text, err := assemble(c.job.log, end.result.ResultID, *end.result.ResultSize, c.job.task.stream.json)
	if err != nil {
		return nil, arcp.NewError(arcp.CodeInternalError, "the child's result of %d bytes cannot be put together: %v", *end.result.ResultSize, err)
	}
	return text, nil
}

// Done is closed once the child has ended.
func (c *Child) Done() <-chan struct{} { return c.job.kin.ended }

// Cancel asks the child to stop, if it runs. It does not wait: Result tells CANCELLED once the child has ended, with the reason in its
// details.
func (c *Child) Cancel(reason string) { c.job.stopFor(reason) }
