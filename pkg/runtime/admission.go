package runtime

import (
	"context"
	"sync"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// admission takes the submits of one connection off its reader when they may have to wait for a provisioner: they are answered in the order
// they came in, and everything else meanwhile.
type admission struct {
	mu      sync.Mutex
	waiting []func()
	busy    bool
	rest    chan struct{} // closed when nothing waits any more; nil when nobody cares
}

// add has something done after all that was added before. It is false, and nothing is done, when too much waits.
func (a *admission) add(most int64, do func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if int64(len(a.waiting)) >= most {
		return false
	}
	a.waiting = append(a.waiting, do)
	if !a.busy {
		a.busy = true
		go a.work()
	}
	return true
}

func (a *admission) work() {
	for {
		a.mu.Lock()
		if len(a.waiting) == 0 {
			a.busy, a.waiting = false, nil
			if a.rest != nil {
				close(a.rest)
				a.rest = nil
			}
			a.mu.Unlock()
			return
		}
		do := a.waiting[0]
		a.waiting[0], a.waiting = nil, a.waiting[1:]
		a.mu.Unlock()
		do()
	}
}

// wait waits until nothing waits any more, for no longer than a limit.
func (a *admission) wait(limit time.Duration) {
	a.mu.Lock()
	if !a.busy {
		a.mu.Unlock()
		return
	}
	if a.rest == nil {
		a.rest = make(chan struct{})
	}
	rest := a.rest
	a.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-rest:
	case <-timer.C:
	}
}

// submitLater is submit off the reader. What the link no longer waits for is dropped: the client asks again over another.
func (c *connection) submitLater(ctx context.Context, s *session, e *arcp.Envelope, p *arcp.JobSubmit) {
	own, asked := *e, *p // the reader decodes the next message into the same memory
	own.Payload = &asked
	most := c.rt.opts.Limits.SessionJobs
	added := c.admission.add(most, func() {
		if ctx.Err() != nil || s.conn.Load() != c {
			return
		}
		if err := guard(func() error { return c.submitNow(ctx, s, &own, &asked) }); err != nil {
			c.rt.opts.Logger.Error("submit failed", "session", s.id, "error", err)
			c.link.Close("the runtime failed")
		}
	})
	if !added {
		c.refuse(e, overLimit(arcp.CodeRateLimited, limitSessionJobs, most))
	}
}
