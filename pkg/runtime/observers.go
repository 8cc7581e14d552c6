package runtime

import (
	"maps"
	"slices"
	"sync"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// observers are the sessions that subscribe to one job. Subscriptions end with it: what is still to be read by then costs no more than
// any history.
type observers struct {
	mu   sync.Mutex
	over bool
	of   map[*session]struct{}
}

// subscription is a session's to an unfinished job.
type subscription struct {
	job  *job
	slot slot
}

// observe notes a subscription, unless there are too many, and says whether it is one more. One to a job that has ended is not counted.
func (s *session) observe(j *job) (isNew bool, _ *arcp.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch most := s.rt.opts.Limits.SessionSubscriptions; {
	case s.dropped, s.observed[j.id] != nil:
		return false, nil
	case int64(len(s.observed)) >= most:
		return false, overLimit(arcp.CodeRateLimited, limitSessionSubscriptions, most)
	}
	o := &subscription{job: j}
	if refusal := s.rt.quotas.take(&o.slot, s.principal, ofSubscriptions); refusal != nil {
		return false, refusal
	}
	s.keep(o)
	return true, nil
}

// observeAgain notes a subscription that the session brings from elsewhere.
func (s *session) observeAgain(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dropped && s.observed[j.id] == nil {
		o := &subscription{job: j}
		s.rt.quotas.force(&o.slot, s.principal, ofSubscriptions)
		s.keep(o)
	}
}

// keep lists a subscription at both ends, or gives it up when the job has ended. The caller holds s.mu.
func (s *session) keep(o *subscription) {
	w := &o.job.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		s.rt.quotas.release(&o.slot)
		return
	}
	if w.of == nil {
		w.of = map[*session]struct{}{}
	}
	w.of[s] = struct{}{}
	s.observed[o.job.id] = o
}

func (s *session) unobserve(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.giveUp(s.observed[j.id])
}

// giveUp ends a subscription, if there is one. The caller holds s.mu.
func (s *session) giveUp(o *subscription) {
	if o == nil {
		return
	}
	delete(s.observed, o.job.id)
	s.rt.quotas.release(&o.slot)
	w := &o.job.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.of, s)
}

// unwatch ends the subscriptions to a job that has ended.
func (j *job) unwatch() {
	w := &j.watch
	w.mu.Lock()
	w.over = true
	sessions := slices.Collect(maps.Keys(w.of))
	w.mu.Unlock()
	for _, s := range sessions {
		s.unobserve(j)
	}
}

// letGo gives back what a session has that is not of this runtime any more.
func (s *session) letGo() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped = true
	for _, o := range s.observed {
		s.giveUp(o)
	}
	s.rt.quotas.release(&s.slot)
}

// expects says whether something is still to come for the session: the end of a job of its own or of one it follows, or what is on its way.
func (s *session) expects() bool {
	if s.owner.unfinished.Load() > 0 || s.owner.ending.Load() > 0 {
		return true
	}
	s.rt.seq.Tail(s.view) // commits what is staged
	if _, written, published := s.view.Bounds(); written < published {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.adopted {
		if !j.hasEnded() {
			return true
		}
	}
	return len(s.observed) > 0
}

// idle is the last word to a client of which nothing was heard, and to which nothing was said, for too long.
func (c *connection) idle() *arcp.Envelope {
	most := c.rt.opts.Limits.Idle
	lost := arcp.NewError(arcp.CodeHeartbeatLost, "nothing was said for %s", most)
	return c.envelope("", "", sessionError(withDetail(lost, arcp.DetailLimit, limitIdle), "", ""))
}
