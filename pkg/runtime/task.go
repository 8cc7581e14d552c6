package runtime

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Task is an agent's handle on its job. Its methods may be called from any goroutine until Run returns, and from then on fail
// with ErrJobOver.
type Task struct {
	job     *job
	input   arcp.RawJSON
	attempt int

	mu     sync.Mutex
	inline arcp.RawJSON // the result set
	set    bool
	stream *ResultWriter
	whole  arcp.RawJSON // the streamed result in one piece, for views that take no chunks
}

// JobID returns the job's id.
func (t *Task) JobID() string { return t.job.id }

// Agent returns the agent's full name, name@version.
func (t *Task) Agent() string { return t.job.agent }

// Principal returns who submitted the job.
func (t *Task) Principal() string { return t.job.principal }

// TraceID returns the job's trace, 32 lower-case hex digits (§11).
func (t *Task) TraceID() string { return t.job.trace }

// Attempt says which run of the job this is, from 1. Later ones are those of a Restartable agent, once its runtime was stopped or lost.
func (t *Task) Attempt() int { return t.attempt }

// Input returns the job's input, nil when none was given and once the job has ended. It must not be changed.
func (t *Task) Input() arcp.RawJSON {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.input
}

// Lease returns a copy of what the job may do: changing it changes nothing of that.
func (t *Task) Lease() arcp.Lease { return t.job.grant.lease.Clone() }

// Emit records an event. It returns when the event has its place in the job's log, and waits, for no longer than ctx, only while the
// store is far behind; no reader ever holds it up. Reserved names and invalid bodies are INVALID_REQUEST.
func (t *Task) Emit(ctx context.Context, body arcp.EventBody) error {
	if body == nil {
		return arcp.NewError(arcp.CodeInvalidRequest, "the event has no body")
	}
	ev := arcp.JobEvent{Kind: body.EventKind(), TS: time.Now(), Body: body}
	if err := checkEvent(&ev); err != nil {
		return err
	}
	cost, refusal := t.job.costOf(&ev)
	if refusal != nil {
		return refusal
	}
	return taskError(t.job.spend(ctx, &ev, cost))
}

// Flush waits until everything emitted before is committed to the store.
func (t *Task) Flush(ctx context.Context) error { return taskError(t.job.log.Flush(ctx)) }

// checkEvent refuses what only a runtime may say (§6.5, §9.6, §9.8.2, §10), and what the spec does not allow.
func checkEvent(ev *arcp.JobEvent) error {
	switch b := ev.Body.(type) {
	case *arcp.StatusBody:
		if slices.Contains(arcp.ReservedPhases(), b.Phase) {
			return reserved("the phase", b.Phase)
		}
	case *arcp.MetricBody:
		if strings.HasPrefix(b.Name, arcp.MetricBudgetPrefix) {
			return reserved("the metric", b.Name)
		}
	}
	if rule, _ := arcp.KindRuleOf(ev.Kind); rule.RuntimeOnly {
		return reserved("the kind", string(ev.Kind))
	}
	err := ev.Validate()
	if _, unknown := ev.Body.(*arcp.UnknownBody); unknown && err != nil {
		return arcp.NewError(arcp.CodeInvalidRequest, "event of kind %q: %v", string(ev.Kind), err)
	}
	return err
}

func reserved(what, name string) error {
	return arcp.NewError(arcp.CodeInvalidRequest, "%s %q is reserved for the runtime", what, name)
}

// SetResult sets the job's inline result, any JSON text; the last call counts. One too large for a frame is streamed when the job ends.
// It cannot be mixed with ResultWriter.
func (t *Task) SetResult(result arcp.RawJSON) error {
	if err := result.Check(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.job.closing.Load():
		return ErrJobOver
	case t.stream != nil:
		return errMixed
	}
	t.inline, t.set = append(arcp.RawJSON(nil), result...), true
	return nil
}

var errMixed = arcp.NewError(arcp.CodeInternalError, "a result is either set or streamed, not both")

// finish completes the result after the agent has returned without an error.
func (t *Task) finish(ctx context.Context) error {
	t.mu.Lock()
	stream, inline := t.stream, t.inline
	if stream == nil && 2*len(inline)+resultOverhead > arcp.LimitFrameOut {
		stream = t.newStream(ctx, arcp.EncodingUTF8)
		stream.json, t.inline, t.set = true, nil, false
	}
	t.mu.Unlock()
	switch {
	case stream == nil:
		return nil
	case stream.json:
		if _, err := stream.Write(inline); err != nil {
			return err
		}
	}
	return stream.Close()
}

// release lets go of what the job no longer needs; the job itself is remembered for a while.
func (t *Task) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.input, t.inline, t.whole = nil, nil, nil
}

// resultOverhead bounds the bytes of a job.result beside the result itself, which stands in it twice.
const resultOverhead = 2048

// result is the payload of the terminal of a job that succeeded.
func (t *Task) result(at time.Time) *arcp.JobResult {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &arcp.JobResult{JobID: t.job.id, FinalStatus: arcp.StatusSuccess, CompletedAt: at}
	if t.stream != nil {
		size := t.stream.total
		r.ResultID, r.ResultSize = t.stream.id, &size
		return r
	}
	if r.Result = t.inline; !t.set {
		r.Result = arcp.RawJSON("null")
	}
	r.Output = r.Result
	return r
}
