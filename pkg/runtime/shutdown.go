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

// Shutdown ends the runtime: it takes no more connections and jobs, waits for the running jobs until ctx is done, stops those
// left, says goodbye to every client and closes their links. It returns ctx's error when jobs had to be stopped. The store is left
// open.
//
// Where the store outlives the runtime, the jobs of Restartable agents that are left are stopped without an end, for the next
// runtime to run them again, and sessions wait there for what is left of their windows.
func (rt *Runtime) Shutdown(ctx context.Context) error {
	rt.mu.Lock()
	rt.stopping = true
	rt.mu.Unlock()
	err := rt.waitJobs(ctx)
	if err != nil {
		rt.stopJobs()
		_ = rt.waitJobs(context.Background()) // bounded by the grace
	}
	rt.seq.Settle() // so that the ends of jobs are what clients have coming
	rt.hangUpAll(ctx)
	rt.endSessions()
	rt.lastRevocations(ctx)
	rt.back.stop()
	if e := rt.node.Leave(context.WithoutCancel(ctx)); e != nil && err == nil {
		err = e
	}
	return err
}

func (rt *Runtime) waitJobs(ctx context.Context) error {
	rt.mu.Lock()
	if rt.running == 0 {
		rt.mu.Unlock()
		return nil
	}
	if rt.idle == nil {
		rt.idle = make(chan struct{})
	}
	idle := rt.idle
	rt.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (rt *Runtime) stopJobs() {
	rt.mu.Lock()
	jobs := make([]*job, 0, rt.running)
	for _, j := range rt.jobs {
		if !j.remote.Load() {
			jobs = append(jobs, j)
		}
	}
	rt.mu.Unlock()
	for _, j := range jobs {
		if rt.outlived() && j.leave() {
			continue
		}
		j.step(func() core.JobEffects { return j.core.Shutdown(rt.now()) })
	}
}

// outlived says whether there may be another runtime after this one for what is in the store.
func (rt *Runtime) outlived() bool { return rt.opts.Shared || rt.store.Level() > store.Volatile }

// leave stops a running job without an end if it may run again.
func (j *job) leave() bool {
	j.mu.Lock()
	ends := j.core.Over() || j.core.Stopping()
	j.mu.Unlock()
	return !ends && j.kin.of == "" && j.mayRunAgain() != nil && j.rt.letGo(j, ErrStopped, true)
}

// hangUpAll says goodbye on every link and waits until each has ended. A client may take what it has coming for as long as
// ctx allows, and for the goodbye grace after that.
func (rt *Runtime) hangUpAll(ctx context.Context) {
	rt.mu.Lock()
	conns := slices.Collect(maps.Keys(rt.conns))
	if len(conns) > 0 && rt.gone == nil {
		rt.gone = make(chan struct{})
	}
	gone := rt.gone
	rt.mu.Unlock()
	for _, c := range conns {
		go c.goodbye(ctx)
	}
	if gone != nil {
		<-gone
	}
}

// goodbyeGrace is how long a client may still take its last frames once the time of a shutdown is over.
const goodbyeGrace = time.Second

// goodbye ends a link once everything the client has coming is written.
func (c *connection) goodbye(ctx context.Context) {
	ctx, cancel := withGrace(ctx, goodbyeGrace)
	defer cancel()
	_ = c.link.Settle(ctx)
	if c.session.Load() != nil { // who was not welcomed knows no bye
		c.link.Finish(c.envelope("", "", &arcp.SessionBye{Reason: stopReason}), stopReason)
	}
	_ = c.link.Drain(ctx, stopReason)
}

// withGrace returns a context that ends some time after ctx.
func withGrace(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return late, func() { stop(); cancel() }
}

// endSessions frees the sessions that nobody can resume any more. Those that another runtime may take over wait for it.
func (rt *Runtime) endSessions() {
	rt.mu.Lock()
	sessions := slices.Collect(maps.Values(rt.sessions))
	if rt.sweeper != nil {
		rt.sweeper.Stop()
	}
	rt.mu.Unlock()
	for _, s := range sessions {
		if rt.outlived() {
			s.stopWindow()
			continue
		}
		s.expire()
	}
}
