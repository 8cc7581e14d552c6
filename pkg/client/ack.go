package client

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// acks tells the runtime how far the readers have come (§6.5).
type acks struct {
	on    atomic.Bool // agreed on
	armed atomic.Bool // one is due
	mu    sync.Mutex
	sent  uint64
	last  time.Time
}

const (
	ackDelay = 200 * time.Millisecond // how long what was read may go unsaid
	ackEvery = 1024                   // events of one job after which it is said at once,
	ackPause = 10 * time.Millisecond  // but not more often than this
)

// touch sees to it that what is read now is acknowledged in time.
func (s *Session) touch() {
	if s.acks.on.Load() && !s.acks.armed.Load() && s.acks.armed.CompareAndSwap(false, true) {
		time.AfterFunc(ackDelay, func() {
			s.acks.armed.Store(false)
			s.ack(0)
		})
	}
}

// ackNow is for readers that are fast.
func (s *Session) ackNow() {
	if s.acks.on.Load() {
		s.ack(ackPause)
	}
}

func (s *Session) ack(pause time.Duration) {
	a := &s.acks
	a.mu.Lock()
	defer a.mu.Unlock()
	l := s.current()
	if l == nil || pause > 0 && time.Since(a.last) < pause {
		return
	}
	seq := s.processed()
	if seq <= a.sent {
		return
	}
	if l.Offer(s.envelope(s.nextID(), &arcp.SessionAck{LastProcessedSeq: seq})) == nil {
		a.sent, a.last = seq, time.Now()
	}
}

// processed is the number up to which everything has been processed by somebody, or is nobody's.
func (s *Session) processed() uint64 {
	seq := s.lastSeq.Load() // before the jobs: what comes meanwhile is above
	for _, j := range s.jobs.all() {
		seq = j.processed(seq)
	}
	return seq
}

// processed is the number up to which nothing of the job is unread, at most seq. What can be fetched again does not count: for that
// the runtime keeps the job's log, and not the session's.
func (j *Job) processed(seq uint64) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return min(seq, j.processedLocked(seq))
}

func (j *Job) processedLocked(seq uint64) uint64 {
	q, read := &j.queue, j.read.Load()
	fetched := j.session.has(arcp.FeatureSubscribe)
	switch {
	case j.order.behind, fetched && j.kept && j.over:
	case read < q.to:
		return max(read, q.from-1)
	case len(q.blocks) > 0:
		return q.blocks[0][q.head].event.Seq - 1
	case !fetched && j.over && !j.heard.Load():
		return j.end - 1
	}
	return seq
}
