package runtime

import (
	"context"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// expire takes the finished jobs whose time is over, or that are too many, out of the table. The caller holds rt.mu.
func (rt *Runtime) expire(now time.Time) (old []*job) {
	k := 0
	for k < len(rt.finished) {
		j := rt.finished[k]
		if len(rt.finished)-k <= rt.opts.MaxFinished && now.Sub(j.ended) < rt.opts.JobRetention {
			break
		}
		delete(rt.jobs, j.id)
		old = append(old, j)
		rt.finished[k] = nil
		k++
	}
	rt.finished = rt.finished[k:]
	return old
}

// forget removes the logs of expired jobs.
func (rt *Runtime) forget(old []*job) {
	for _, j := range old {
		if err := rt.seq.CloseLog(context.Background(), j.log); err != nil {
			rt.opts.Logger.Error("log cannot be removed", "job", j.id, "error", err)
		}
	}
}

func (j *job) row(status arcp.JobStatus) *store.JobRow {
	return &store.JobRow{JobID: j.id, Principal: j.principal, Agent: j.agent, Status: string(status), Created: j.created}
}
