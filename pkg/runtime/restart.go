package runtime

import (
	"context"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Restartable says that an agent may run again, from its beginning, for a job whose runtime was stopped or lost before it ended (§7.3). The
// job goes on in the same log, with the same deadline and a new result; Task.Attempt tells the runs apart. An agent that is not wrapped
// runs once at most: its job ends with INTERNAL_ERROR, which may be retried.
func Restartable(a Agent) Agent {
	if a == nil {
		return nil
	}
	return restartable{a}
}

type restartable struct{ Agent }

// mayRunAgain returns the agent of a job that may run again, nil when there is none.
func (j *job) mayRunAgain() Agent {
	agent, _, refusal := j.rt.agents.resolve(j.agent)
	if refusal != nil {
		return nil
	}
	if again, ok := agent.(restartable); ok {
		return again
	}
	return nil
}

// goOn does with an unfinished job that was taken over what is to be done with it: it ends as it was about to, runs again, or
// ends with the reason.
func (j *job) goOn(ctx context.Context) {
	now := j.rt.now()
	reason, cancelled := j.log.Cancelled()
	if !cancelled {
		reason, cancelled = j.posted(ctx)
	}
	if !cancelled && j.kin.of != "" { // the run that delegated it is gone
		reason, cancelled = arcp.ReasonParentEnded, true
	}
	j.mu.Lock()
	j.core = core.NewJob(now, j.left(time.Now()), j.rt.opts.Limits.CancelGrace, j.grant.expiry)
	agent := j.mayRunAgain()
	j.mu.Unlock()
	j.closing.Store(false) // it may have been this node's before
	switch {
	case cancelled:
		j.step(func() core.JobEffects { return j.core.Cancel(true, reason, now) })
	case j.asked.maxRuntime > 0 && j.left(time.Now()) == minLeft:
		j.step(func() core.JobEffects { return j.core.Tick(now + minLeft) })
	case j.grant.expiry.Over(time.Now(), now):
		j.step(func() core.JobEffects { return j.core.Expire(now) })
	case agent != nil && j.again(ctx, agent):
		return
	}
	j.step(func() core.JobEffects { return j.core.Return(j.rt.lostError()) })
}

// minLeft is what is left of a time that is over: 0 is no limit.
const minLeft = 1

// left is what is left of the job's time, 0 when that has no limit.
func (j *job) left(now time.Time) time.Duration {
	if j.asked.maxRuntime == 0 {
		return 0
	}
	return remaining(j.created, j.asked.maxRuntime, now)
}

// remaining is what is left of a time that began at a moment: all of it at most, minLeft at least.
func remaining(began time.Time, whole time.Duration, now time.Time) time.Duration {
	gone := max(0, now.Sub(began)) // a clock that was set back adds nothing
	return max(minLeft, whole-gone)
}

func (rt *Runtime) lostError() *arcp.Error {
	lost, reason := arcp.NewError(arcp.CodeInternalError, "the runtime that ran the job was restarted"), arcp.ReasonRestarted
	if rt.opts.Shared {
		lost, reason = arcp.NewError(arcp.CodeInternalError, "the runtime that ran the job was lost"), arcp.ReasonNodeLost
	}
	lost.Retryable = true
	return withDetail(lost, arcp.DetailReason, reason)
}

// again runs a job once more. It is false when that could not be recorded.
func (j *job) again(ctx context.Context, a Agent) bool {
	j.task.attempt++
	snapshot, err := j.tell(nil)
	if err == nil {
		j.log.Tell(snapshot)
		_, err = j.log.Append(ctx, j.restarted())
	}
	if err == nil {
		err = j.log.Flush(ctx)
	}
	if err != nil {
		j.rt.opts.Logger.Error("job cannot run again", "job", j.id, "error", err)
		return false
	}
	j.rt.opts.Logger.Info("job runs again", "job", j.id, "agent", j.agent, "attempt", j.task.attempt)
	jobCtx := j.context()
	j.step(func() core.JobEffects { return j.core.Start() })
	j.attend()
	j.rt.whenTakenUp(func() { j.run(jobCtx, a) })
	return true
}

func (j *job) restarted() *arcp.JobEvent {
	details := arcp.NewError(arcp.CodeInternalError, "")
	details = withDetail(details, arcp.DetailAttempt, j.task.attempt)
	return &arcp.JobEvent{Kind: arcp.KindStatus, TS: time.Now(), Body: &arcp.StatusBody{Phase: arcp.PhaseRestarted, Details: details.Details}}
}

// takeJob makes an orphaned job this node's.
func (rt *Runtime) takeJob(ctx context.Context, key store.Key, head store.Head) error {
	j, t, err := rt.meet(key.ID, &head)
	if err != nil {
		return err
	}
	defer rt.giveBack(j)
	if !j.remote.Load() {
		return nil
	}
	epoch, ended := head.Epoch, t.End != nil
	if !ended || rt.opts.Shared { // nobody else removes what has ended
		if epoch, head, err = rt.store.Acquire(ctx, rt.node.ID(), key, head.Epoch); err != nil {
			return err
		}
		j.catchUp(&head)
	}
	if err := j.take(ctx, epoch, &head, t.End); err != nil {
		return err
	}
	_, _, _, over := j.log.Terminal()
	ended = ended || over
	rt.mu.Lock()
	j.remote.Store(false)
	if !ended {
		rt.running++
	}
	rt.jobs[j.id] = j
	rt.mu.Unlock()
	j.charge()
	j.log.Nudge() // it is not followed any more
	if ended {
		j.endedBefore(t.End)
		return nil
	}
	rt.opts.Logger.Warn("job of a runtime that is gone taken over", "job", j.id)
	j.count()
	j.goOn(ctx)
	return nil
}

// catchUp notes what others did to the job between the first look at it and its acquisition: it may have run again meanwhile.
func (j *job) catchUp(head *store.Head) {
	var t told
	if err := dynjson.Unmarshal(head.Snapshot, &t); err == nil && t.Run != nil {
		j.task.attempt = t.Run.Attempt
	}
}

// take makes the log this node's: of a job that has ended as it lies in the store, of any other with all its records.
func (j *job) take(ctx context.Context, epoch store.Epoch, head *store.Head, end *toldEnd) error {
	if end != nil && j.log.Shelve(ctx, epoch, head, end.Index, end.Bytes) == nil {
		return nil
	}
	if err := j.log.Load(ctx, j.alt); err != nil {
		return err
	}
	if err := j.respend(); err != nil {
		return err
	}
	return j.log.Take(epoch, head.Records)
}

// endedBefore remembers a job that was taken over after its end.
func (j *job) endedBefore(end *toldEnd) {
	if end == nil {
		end = &toldEnd{At: time.Now().UTC(), Status: j.finalStatus()}
	}
	j.mu.Lock()
	j.core, j.ended = core.JobAt(end.Status), end.At
	j.mu.Unlock()
	j.over.Store(true)
	j.uncount()
	j.remember()
}
