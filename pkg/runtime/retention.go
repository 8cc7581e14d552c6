package runtime

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// lineCopies is about how often what a listing shows of a job, its lease above all, is kept: by the job twice, by its log and by its row.
const lineCopies = 4

// remember lists a job that has ended, for as long as it is to be kept.
func (j *job) remember() {
	j.unwatch()
	rt := j.rt
	kept := j.log.Bytes() + lineCopies*len(j.line)
	rt.mu.Lock()
	defer rt.mu.Unlock()
	j.kept = kept
	rt.finishedBytes += kept
	list := &rt.finished
	if j.keyed {
		list = &rt.keyed
	}
	i, _ := slices.BinarySearchFunc(*list, j, func(a, b *job) int { return cmp.Or(a.ended.Compare(b.ended), -1) })
	*list = slices.Insert(*list, i, j)
}

// retain forgets what need not be remembered any more, and sees to it that this goes on.
func (rt *Runtime) retain() {
	rt.mu.Lock()
	if rt.sweeper == nil && !rt.stopping && len(rt.finished)+len(rt.keyed) > 0 {
		rt.sweeper = time.AfterFunc(rt.opts.Limits.JobRetention, rt.sweep)
	}
	old := rt.expire(time.Now())
	rt.mu.Unlock()
	rt.forget(old)
}

// expire takes the finished jobs whose time is over, or that are too many, out of the table; those that a key leads to
// stay their time. The caller holds rt.mu.
func (rt *Runtime) expire(now time.Time) (old []*job) {
	take := func(list *[]*job, most int, age time.Duration) {
		for l := *list; len(l) > 0 && (len(l) > most || now.Sub(l[0].ended) >= age); l = *list {
			delete(rt.jobs, l[0].id)
			old = append(old, l[0])
			l[0], *list = nil, l[1:]
		}
	}
	take(&rt.finished, int(rt.opts.Limits.FinishedJobs), rt.opts.Limits.JobRetention)
	take(&rt.keyed, math.MaxInt, max(rt.opts.Limits.JobRetention, rt.opts.Limits.Idempotency))
	for _, j := range old {
		rt.finishedBytes -= j.kept
	}
	for int64(rt.finishedBytes) > rt.opts.Limits.FinishedBytes && len(rt.finished) > 0 {
		j := rt.finished[0]
		delete(rt.jobs, j.id)
		rt.finished[0], rt.finished = nil, rt.finished[1:]
		rt.finishedBytes -= j.kept
		old = append(old, j)
	}
	return old
}

// sweep forgets finished jobs whose time is over when no other job's end does.
func (rt *Runtime) sweep() {
	rt.mu.Lock()
	old := rt.expire(time.Now())
	rt.sweeper = nil
	if len(rt.finished)+len(rt.keyed) > 0 && !rt.stopping {
		rt.sweeper = time.AfterFunc(max(rt.opts.Limits.JobRetention/16, time.Second), rt.sweep)
	}
	rt.mu.Unlock()
	rt.forget(old)
}

// forget removes the logs of expired jobs.
func (rt *Runtime) forget(old []*job) {
	for _, j := range old {
		j.discharge()
		if err := rt.seq.CloseLog(context.Background(), j.log); err != nil {
			rt.opts.Logger.Error("log cannot be removed", "job", j.id, "error", err)
		}
	}
}

func (j *job) row(status arcp.JobStatus) *store.JobRow {
	return &store.JobRow{
		JobID: j.id, Principal: j.principal, Agent: j.agent, Status: string(status), Created: j.created, Summary: j.line,
	}
}
