package runtime

import (
	"cmp"
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
	list := &rt.finished
	switch {
	case j.keyed:
		list, kept = &rt.keyed, 0 // it stays whatever it takes: were it counted, it would drive out all others
	case !rt.cache.off:
		kept = 0 // it takes memory only while somebody reads it
	}
	if !j.log.Shelved() {
		rt.cache.add(j)
	}
	j.kept = kept
	rt.finishedBytes += kept
	i, _ := slices.BinarySearchFunc(*list, j, func(a, b *job) int { return cmp.Or(a.ended.Compare(b.ended), -1) })
	*list = slices.Insert(*list, i, j)
}

// retain forgets what need not be remembered any more, and sees to it that this goes on when no job ends.
func (rt *Runtime) retain() {
	now := time.Now()
	rt.mu.Lock()
	old := rt.expire(now)
	if rt.sweeper == nil && !rt.stopping && len(rt.finished)+len(rt.keyed) > 0 {
		rt.sweeper = time.AfterFunc(max(rt.keep(now), rt.pause()), rt.sweep)
	}
	rt.mu.Unlock()
	rt.forget(old)
}

// keep is how long the finished job that is forgotten first is still kept. The caller holds rt.mu.
func (rt *Runtime) keep(now time.Time) time.Duration {
	keep := time.Duration(math.MaxInt64)
	for _, l := range [][]*job{rt.finished, rt.keyed} {
		if len(l) > 0 {
			keep = min(keep, rt.retention(l[0].keyed)-now.Sub(l[0].ended))
		}
	}
	return keep
}

// pause is how long after a sweep the next comes at least.
func (rt *Runtime) pause() time.Duration {
	return max(time.Second, min(time.Minute, rt.opts.Limits.JobRetention/16))
}

// retention is how long a finished job is remembered; one that a key leads to for as long as that.
func (rt *Runtime) retention(keyed bool) time.Duration {
	if keyed {
		return max(rt.opts.Limits.JobRetention, rt.opts.Limits.Idempotency)
	}
	return rt.opts.Limits.JobRetention
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
	take(&rt.finished, int(rt.opts.Limits.FinishedJobs), rt.retention(false))
	take(&rt.keyed, math.MaxInt, rt.retention(true))
	for _, j := range old {
		rt.finishedBytes -= j.kept
		rt.cache.drop(j)
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
	rt.sweeper = nil
	rt.mu.Unlock()
	rt.retain()
}

// forget removes the logs of expired jobs.
func (rt *Runtime) forget(old []*job) {
	for _, j := range old {
		j.discharge()
		if err := rt.seq.CloseLog(j.log); err != nil {
			rt.storeError("log cannot be removed", err, "job", j.id)
		}
	}
}

func (j *job) row(status arcp.JobStatus) *store.JobRow {
	return j.rowWith(status, j.grant.purse.remaining())
}

// rowWith is the job's line in listings, with what is left of its budget.
func (j *job) rowWith(status arcp.JobStatus, left arcp.Budget) *store.JobRow {
	row := &store.JobRow{
		JobID: j.id, Principal: j.principal, Agent: j.agent, Status: string(status), Created: j.created, Summary: j.line,
	}
	if len(left) > 0 {
		a := j.accepted("")
		a.Budget = left
		if line, err := a.AppendJSON(nil); err == nil {
			row.Summary = line
		}
	}
	return row
}
