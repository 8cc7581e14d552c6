package runtime

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// tend takes over what dead nodes left, until ctx is done or this node counts as dead itself.
func (rt *Runtime) tend(ctx context.Context) {
	scan := time.NewTicker(rt.opts.OrphanScan)
	defer scan.Stop()
	for {
		rt.takeOrphans(ctx)
		select {
		case <-ctx.Done():
			return
		case <-rt.node.Lost():
			rt.lost()
			return
		case <-scan.C:
		}
	}
}

// takeOrphans takes over jobs first, so that sessions find them here.
func (rt *Runtime) takeOrphans(ctx context.Context) {
	orphans := rt.orphans(ctx)
	keys := slices.SortedFunc(maps.Keys(orphans), func(a, b store.Key) int { return int(a.Kind) - int(b.Kind) })
	for _, key := range keys {
		if ctx.Err() != nil {
			return
		}
		switch key.Kind {
		case store.KindJob:
			rt.takeJob(ctx, key, orphans[key])
		case store.KindSession:
			_, _ = rt.adopt(ctx, &adoption{id: key.ID, epoch: orphans[key]}) // it is logged, and tried again
		}
	}
}

// orphans returns the epoch of each key that is without a living owner. The epoch is read between two looks at the owner, so that
// nothing is taken from a node that was faster.
func (rt *Runtime) orphans(ctx context.Context) map[store.Key]store.Epoch {
	epochs := map[store.Key]store.Epoch{}
	keys, err := rt.store.Orphans(ctx)
	if err != nil || len(keys) == 0 {
		return epochs
	}
	seen := make(map[store.Key]store.Epoch, len(keys))
	for _, key := range keys {
		if head, err := rt.store.Lookup(ctx, key); err == nil {
			seen[key] = head.Epoch
		}
	}
	keys, err = rt.store.Orphans(ctx)
	if err != nil {
		return epochs
	}
	for _, key := range keys {
		if epoch := seen[key]; epoch != 0 {
			epochs[key] = epoch
		}
	}
	return epochs
}

// reasonNodeLost is in the details of the end of a job whose runtime died.
const reasonNodeLost = "node_lost"

// takeJob makes an orphaned job this node's: one without an end gets an error that may be retried, and either is remembered for its time.
func (rt *Runtime) takeJob(ctx context.Context, key store.Key, old store.Epoch) {
	j, done := rt.borrow(ctx, key.ID)
	defer done()
	if j == nil || !j.remote.Load() {
		return
	}
	epoch, head, err := rt.store.Acquire(ctx, rt.node.ID(), key, old)
	if err != nil {
		return // another node has it
	}
	if err = j.log.Load(ctx, j.alt); err == nil {
		err = j.log.Take(epoch, head.Records)
	}
	if err != nil {
		rt.opts.Logger.Error("job of a dead node cannot be taken over", "job", j.id, "error", err)
		return
	}
	rt.mu.Lock()
	j.remote.Store(false)
	rt.running++
	rt.jobs[j.id] = j
	rt.mu.Unlock()
	j.log.Nudge() // it is not followed any more
	rt.opts.Logger.Warn("job of a dead node taken over", "job", j.id)
	if _, _, _, over := j.log.Terminal(); over {
		j.mu.Lock()
		j.core, j.ended = core.JobAt(j.finalStatus()), time.Now().UTC()
		j.mu.Unlock()
		j.over.Store(true)
		j.uncount()
		j.finished()
		return
	}
	lost := arcp.NewError(arcp.CodeInternalError, "the runtime that ran the job was lost")
	lost.Retryable = true
	j.step(func() core.JobEffects { return j.core.Return(withDetail(lost, arcp.DetailReason, reasonNodeLost)) })
}

// lost ends a runtime that its store counts as dead: others may have its jobs and sessions already.
func (rt *Runtime) lost() {
	rt.mu.Lock()
	rt.stopping = true
	jobs := slices.Collect(maps.Values(rt.jobs))
	sessions := slices.Collect(maps.Values(rt.sessions))
	conns := slices.Collect(maps.Keys(rt.conns))
	rt.mu.Unlock()
	rt.opts.Logger.Error("the store has declared this runtime dead: it stops")
	for _, j := range jobs {
		if !j.remote.Load() && !j.over.Load() {
			rt.fenced(j)
		}
	}
	hangUp := func(c *connection) { c.link.Close("the runtime has lost its store") }
	for _, s := range sessions {
		s.away(hangUp)
	}
	for _, c := range conns {
		hangUp(c)
	}
}
