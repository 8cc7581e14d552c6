package runtime

import (
	"context"
	"maps"
	"slices"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// kin is what a job has to do with the jobs above and below it (§10).
type kin struct {
	of     string // the job that delegated it; "" for a root
	parent *job   // the same; nil for a root, and for what another run of a runtime began
	depth  int    // how many jobs stand above it

	// Guarded by the lock of the job.
	joined   int               // children that are being accepted, or have not ended
	children map[*job]struct{} // those of them that are accepted
	parted   bool              // the parent knows that it has ended

	ended chan struct{} // closed when parted; nil without a parent
	end   outcome       // written before that, and read after it
}

// outcome is how a job ended, for its parent: with one of them.
type outcome struct {
	result  *arcp.JobResult
	failure *arcp.Error
	lost    error // it was stopped here without an end
}

// submittedIn says whether a session submitted the job itself. What its agents delegate it is not sent unless it subscribes.
func (j *job) submittedIn(session string) bool { return j.kin.of == "" && j.owner.id == session }

// join makes a job a child, unless the parent stops or has too many.
func (j *job) join(p *job) *arcp.Error {
	limits := &p.rt.opts.Limits
	j.kin.of, j.kin.parent, j.kin.depth, j.kin.ended = p.id, p, p.kin.depth+1, make(chan struct{})
	if int64(j.kin.depth) > limits.JobDepth {
		return overLimit(arcp.CodePermissionDenied, limitJobDepth, max(limits.JobDepth, 0))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if int64(p.kin.joined) >= limits.JobChildren {
		return overLimit(arcp.CodeRateLimited, limitJobChildren, max(limits.JobChildren, 0))
	}
	if p.closing.Load() || !p.core.Join() {
		return errStopping
	}
	p.kin.joined++
	return nil
}

// bear lists a child that is recorded, and stops it at once if the job was told to stop meanwhile.
func (j *job) bear(child *job) {
	j.mu.Lock()
	if j.kin.children == nil {
		j.kin.children = map[*job]struct{}{}
	}
	j.kin.children[child] = struct{}{}
	stops := j.core.Over() || j.core.Stopping()
	j.mu.Unlock()
	if stops {
		child.stopFor(arcp.ReasonParentEnded)
	}
}

// errStopping refuses a delegation by a job that is told to stop. It is not recorded.
var errStopping = arcp.NewError(arcp.CodeCancelled, "the job stops, and may not delegate any more")

// part tells the parent, once, that a child has ended, and lets it end.
func (j *job) part() {
	p := j.kin.parent
	if p == nil {
		return
	}
	j.mu.Lock()
	parted := j.kin.parted
	j.kin.parted = true
	j.mu.Unlock()
	if parted {
		return
	}
	if j.log != nil { // it was accepted
		p.report(j)
	}
	close(j.kin.ended)
	p.step(func() core.JobEffects {
		p.kin.joined--
		delete(p.kin.children, j)
		return p.core.Part()
	})
}

// stopChildren stops what the job has delegated: as expired what has no more time than the job, whose lease has ended.
func (j *job) stopChildren(cause core.Cause) {
	j.mu.Lock()
	children := slices.Collect(maps.Keys(j.kin.children))
	j.mu.Unlock()
	for _, child := range children {
		if cause == core.Expired {
			child.step(func() core.JobEffects { return child.core.Expire(j.rt.now()) })
		} else {
			child.stopFor(arcp.ReasonParentEnded)
		}
	}
}

// stopFor cancels a child for a reason.
func (j *job) stopFor(reason string) {
	j.step(func() core.JobEffects { return j.core.Cancel(true, reason, j.rt.now()) })
}

// maxReported is how large a result may be that the parent's log repeats.
const maxReported = 64 << 10

// report records in the parent's log how a child has ended. A log that takes nothing any more is of a parent that ends without it.
func (j *job) report(child *job) {
	body := &arcp.ToolResultBody{CallID: child.id}
	switch end := &child.kin.end; {
	case end.result != nil:
		short := *end.result
		if short.Output = nil; len(short.Result) > maxReported {
			short.Result = nil
		}
		text, err := short.AppendJSON(nil)
		if err != nil {
			return // which the child's own log does not take either
		}
		body.Result = text
	case end.failure != nil:
		body.Error = toolError(peerCode(end.failure))
	default:
		return
	}
	// The limits of the job do not hold this up, nor that its agent may do nothing any more.
	_ = j.log.AppendWith(context.Background(), eventNow(body), journal.TypeBudget, func() journal.Outcome {
		p := &j.grant.purse
		p.tree.Lock()
		defer p.tree.Unlock()
		return j.outcome(p.debit(nil))
	})
}

func toolError(e *arcp.Error) *arcp.ToolError {
	return &arcp.ToolError{Code: e.Code, Message: e.Message, Retryable: e.Retryable, Details: e.Details}
}
