package runtime

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// job is one run of an agent. It outlives the connection that asked for it.
type job struct {
	rt        *Runtime
	id        string
	agent     string // name@version
	principal string
	trace     string
	span      string // the traceparent of what the job is under
	created   time.Time
	line      []byte // what listings show of it and does not change: an accepted payload
	log       *journal.Log
	task      *Task
	cancel    context.CancelCauseFunc
	uninbox   context.CancelFunc // ends the reading of its inbox; nil in a runtime that is not shared

	owner *owner // the session that submitted it
	asked asked
	kin   kin
	grant *grant
	keyed bool // an idempotency key leads here
	over  atomic.Bool
	slot  slot                    // one of the unfinished jobs of its owner, and of its principal
	watch observers               // the subscriptions to it
	keys  atomic.Pointer[keyring] // nil without credentials
	had   []string                // the ids of the credentials that the run before had

	stored   slot // while it is remembered
	emission emission
	// remote says that another node runs it: the log follows the store, and nothing here decides about it.
	remote atomic.Bool
	// lingers says that it was let go and counts as running until its agent has returned.
	lingers atomic.Bool
	// closing says that the agent may do nothing any more, be it that the job has not ended.
	closing atomic.Bool

	users     int  // who borrow it; guarded by rt.mu
	following bool // its log is being fed from the store; guarded by rt.mu

	mu    sync.Mutex
	core  core.Job
	timer *time.Timer
	spans jobSpan
	ended time.Time
	kept  int // bytes of its log; guarded by rt.mu

	cached      *list.Element // in the cache; guarded by rt.mu, as its bytes are
	cachedBytes int64
}

// The causes an agent finds in its context.
var (
	ErrCancelled = errors.New("runtime: the job was cancelled")
	ErrTimedOut  = errors.New("runtime: the job ran longer than it may")
	ErrExpired   = errors.New("runtime: the lease of the job has expired")
	ErrStopped   = errors.New("runtime: the runtime stops")
	ErrTakenOver = errors.New("runtime: another runtime has the job now")
	errFenced    = errors.New("runtime: the agent did not stop in time")
)

func stopError(c core.Cause) error {
	switch c {
	case core.Cancelled:
		return ErrCancelled
	case core.TimedOut:
		return ErrTimedOut
	case core.Expired:
		return ErrExpired
	default:
		return ErrStopped
	}
}

// run is the agent's goroutine.
func (j *job) run(ctx context.Context, a Agent) {
	defer j.lingered()
	ctx = j.beginSpan(ctx)
	var err error
	defer func() { j.endSpan(err) }()
	j.step(func() core.JobEffects { return j.core.Start() })
	err = j.provisionAgain(ctx)
	if err == nil {
		err = j.keys.Load().clean(j.call(ctx, a))
	}
	if err == nil {
		err = j.task.finish(ctx)
	}
	if err == nil {
		err = j.assembleFor(ctx)
	}
	j.returned(err)
}

// returned ends the job by what its agent came back with.
func (j *job) returned(err error) {
	failure := agentError(err)
	fx := j.step(func() core.JobEffects { return j.core.Return(failure) })
	ends := fx.Terminal
	if fx.Ending {
		ends = j.endsWith()
	}
	if err != nil && ends == failure {
		level := slog.LevelError
		var chosen *arcp.Error
		if errors.As(err, &chosen) {
			level = slog.LevelWarn // an agent that refuses works as it should
		}
		j.rt.opts.Logger.Log(context.Background(), level, "agent failed", "job", j.id, "agent", j.agent, "error", err)
	}
	j.cancel(ErrJobOver)
}

// call runs the agent and turns a panic, and an exit of its goroutine, into an error.
func (j *job) call(ctx context.Context, a Agent) (err error) {
	returned := false
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		} else if !returned {
			j.returned(errors.New("the agent ended its goroutine"))
		}
	}()
	err = a.Run(ctx, j.task)
	returned = true
	return err
}

// endsWith returns what the job ends with that waits for its children.
func (j *job) endsWith() *arcp.Error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.core.Decided()
}

// step moves the machine and does what follows.
func (j *job) step(move func() core.JobEffects) core.JobEffects {
	j.mu.Lock()
	fx := move()
	over := fx.Refuse == nil && j.apply(&fx)
	j.mu.Unlock()
	j.followUp(&fx, over)
	return fx
}

// followUp does what a step has left to do once the job's lock is free.
func (j *job) followUp(fx *core.JobEffects, over bool) {
	if fx.Stop == core.Expired {
		j.rt.audit(&trail{action: auditExpire, principal: j.principal, session: j.owner.id, job: j.id, agent: j.agent, reason: "the lease has expired"})
	}
	if fx.Stop != core.NoCause || fx.Ending {
		j.stopChildren(fx.Stop)
	}
	if fx.Ending {
		j.revoke()
	}
	if over {
		j.finished()
	}
}

// apply does the effects that do not concern an asker. The caller holds j.mu.
func (j *job) apply(fx *core.JobEffects) (over bool) {
	if fx.Stop != core.NoCause {
		j.cancel(stopError(fx.Stop))
	}
	if fx.Success || fx.Terminal != nil {
		j.writeTerminal(fx)
		over = true
	}
	if fx.Ending {
		j.closing.Store(true)
	}
	if fx.Fence {
		j.cancel(errFenced)
		j.rt.opts.Logger.Warn("agent ignored its end and was cut off", "job", j.id, "agent", j.agent)
	}
	j.arm(fx.Timer)
	return over
}

func (j *job) arm(at time.Duration) {
	if j.timer != nil {
		j.timer.Stop()
		j.timer = nil
	}
	if at > 0 {
		j.timer = time.AfterFunc(at-j.rt.now(), j.tick)
	}
}

func (j *job) tick() {
	j.step(func() core.JobEffects { return j.core.Tick(j.rt.now()) })
}

// writeTerminal closes the log. The caller holds j.mu, and the machine has decided: this happens once.
func (j *job) writeTerminal(fx *core.JobEffects) {
	j.ended = time.Now().UTC()
	j.over.Store(true)
	j.owner.ending.Add(1)
	defer j.owner.ending.Add(-1)
	j.uncount() // before anybody can see the end
	j.rt.count.end(fx.Status)
	j.spans.failure = fx.Terminal
	j.closing.Store(true)
	t := &journal.Terminal{Row: j.row(fx.Status), Snapshot: j.tellEnd(fx.Status)}
	if fx.Success {
		j.kin.end.result = j.success(t)
	} else {
		end := fx.Terminal
		if r := j.core.Reason(); r != "" && fx.Status == arcp.StatusCancelled {
			end = withDetail(end, arcp.DetailReason, r)
		}
		j.kin.end.failure = end
		j.failure(t, end, fx.Status)
	}
	_, err := j.log.Close(t)
	if err != nil {
		j.rt.opts.Logger.Error("end of a job cannot be sent as it is", "job", j.id, "error", err)
		t.Row, t.Snapshot = j.row(arcp.StatusError), j.tellEnd(arcp.StatusError)
		unwritten := arcp.NewError(arcp.CodeInternalError, "the job's end could not be written")
		j.kin.end = outcome{failure: unwritten}
		j.failure(t, unwritten, arcp.StatusError)
		_, err = j.log.Close(t)
	}
	if err != nil {
		j.rt.storeError("end of a job cannot be recorded", err, "job", j.id)
	}
	j.grant.purse.end() // nothing more can be debited
	j.task.release()
}

func (j *job) success(t *journal.Terminal) *arcp.JobResult {
	res := j.task.result(j.ended)
	t.Type, t.Tail = journal.TypeResult, j.tailOf(res)
	if res.ResultID != "" {
		t.Gate = journal.GateChunk
		t.Alt = j.inlineInstead(res)
	}
	return res
}

func (j *job) failure(t *journal.Terminal, e *arcp.Error, status arcp.JobStatus) {
	t.Type, t.Gate, t.Alt = journal.TypeError, journal.GateNone, nil
	t.Tail = j.tailOf(j.errorPayload(e, status))
}

func (j *job) errorPayload(e *arcp.Error, status arcp.JobStatus) *arcp.JobError {
	e = peerCode(e)
	return &arcp.JobError{
		JobID: j.id, FinalStatus: status, Code: e.Code, Message: e.Message, Retryable: e.Retryable, Details: e.Details,
	}
}

func (j *job) tailOf(p arcp.Payload) func([]byte, uint64) ([]byte, error) {
	return func(dst []byte, index uint64) ([]byte, error) {
		e := arcp.Envelope{ID: arcp.EventID(j.id, index), JobID: j.id, TraceID: j.trace, Payload: p}
		return arcp.AppendSequencedTail(dst, &e)
	}
}

// finished lets the job go once its terminal is staged.
func (j *job) finished() {
	j.spanOver()
	rt := j.rt
	rt.mu.Lock()
	rt.oneLess()
	rt.mu.Unlock()
	j.remember()
	j.part()
	rt.retain()
	if j.uninbox != nil {
		j.uninbox()
	}
}
