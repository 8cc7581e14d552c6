package runtime

import (
	"context"
	"maps"
	"slices"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
)

// Shutdown ends the runtime: it takes no more connections and jobs, waits for the running jobs until ctx is done, stops those
// left, says goodbye to every client and closes their links. It returns ctx's error when jobs had to be stopped. The store is left
// open.
func (rt *Runtime) Shutdown(ctx context.Context) error {
	rt.mu.Lock()
	rt.stopping = true
	rt.mu.Unlock()
	err := rt.waitJobs(ctx)
	if err != nil {
		rt.stopJobs()
		_ = rt.waitJobs(context.Background()) // bounded by the grace
	}
	rt.hangUpAll()
	rt.endSessions()
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
		jobs = append(jobs, j)
	}
	rt.mu.Unlock()
	for _, j := range jobs {
		j.step(func() core.JobEffects { return j.core.Shutdown(rt.now()) })
	}
}

// hangUpAll says goodbye on every link and waits until each has ended; a link that does not take its last frames is cut at its
// write deadline.
func (rt *Runtime) hangUpAll() {
	rt.mu.Lock()
	conns := make([]*connection, 0, len(rt.conns))
	for c := range rt.conns {
		conns = append(conns, c)
	}
	var gone chan struct{}
	if len(conns) > 0 {
		gone = make(chan struct{})
		rt.gone = gone
	}
	rt.mu.Unlock()
	for _, c := range conns {
		go c.goodbye()
	}
	if gone != nil {
		<-gone
	}
}

// goodbye ends a link once everything the client has coming is written.
func (c *connection) goodbye() {
	_ = c.link.Settle(context.Background()) // ends with the link at the latest, at its write deadline
	_ = c.send(&arcp.SessionBye{Reason: stopReason})
	c.link.Close(stopReason)
}

// endSessions frees the sessions that nobody can resume here any more.
func (rt *Runtime) endSessions() {
	rt.mu.Lock()
	sessions := slices.Collect(maps.Values(rt.sessions))
	rt.mu.Unlock()
	for _, s := range sessions {
		s.expire()
	}
}
