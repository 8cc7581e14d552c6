package runtime

import (
	"sync/atomic"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Stats is what a runtime has now and what it has done since it was made. Numbers of one Stats may be a moment apart.
type Stats struct {
	Ready bool // it takes connections and jobs

	Connections   int64 // that carry a session
	Sessions      int64 // live and waiting to be resumed
	Parked        int64 // of those the waiting ones
	Jobs          int64 // unfinished, of this runtime
	Subscriptions int64 // to unfinished jobs
	Finished      int64 // finished jobs remembered
	Principals    int64 // that have any of this
	StoredBytes   int64 // kept of the events of all jobs

	Opened     uint64                    // sessions
	Resumed    uint64                    // sessions, each time
	Closed     uint64                    // sessions, by their client or because nobody came back in time
	Submitted  uint64                    // jobs accepted
	Ended      map[arcp.JobStatus]uint64 // jobs, by how
	Cancelled  uint64                    // cancels obeyed
	Subscribed uint64                    // subscriptions
	Refused    map[arcp.ErrorCode]uint64 // requests, by why; unknown identities are UNAUTHENTICATED
	Cut        uint64                    // links of readers that were too slow
	Events     uint64                    // numbered records committed
	EventBytes uint64                    // of those
	Batches    uint64                    // commits they took

	Credentials int64  // minted and live
	Unrevoked   int64  // credentials that are being minted, or to be revoked
	Unrevocable int64  // credentials that cannot be revoked, or could not be all the time: somebody should look at them
	Minted      uint64 // credentials and new values of them
	Revoked     uint64 // of these

	ForeignCosts uint64 // metrics of costs in a currency that the job has no budget in, though it has one in others
}

// counters is what is counted as it happens. Events are counted by the journal, a batch at a time.
type counters struct {
	opened, resumed, closed, submitted, cancelled, subscribed, cut, foreign, minted, revoked atomic.Uint64

	ended   map[arcp.JobStatus]*atomic.Uint64 // neither map is changed once it is made
	refused map[arcp.ErrorCode]*atomic.Uint64
}

func newCounters() *counters {
	c := &counters{ended: map[arcp.JobStatus]*atomic.Uint64{}, refused: map[arcp.ErrorCode]*atomic.Uint64{}}
	for _, s := range []arcp.JobStatus{arcp.StatusSuccess, arcp.StatusError, arcp.StatusCancelled, arcp.StatusTimedOut} {
		c.ended[s] = new(atomic.Uint64)
	}
	for _, code := range arcp.ErrorCodes() {
		c.refused[code] = new(atomic.Uint64)
	}
	return c
}

func (c *counters) refuse(code arcp.ErrorCode) {
	if n := c.refused[code]; n != nil {
		n.Add(1)
	}
}

func (c *counters) end(s arcp.JobStatus) {
	if n := c.ended[s]; n != nil {
		n.Add(1)
	}
}

// Stats returns the runtime's numbers. It looks at every session and costs as much.
func (rt *Runtime) Stats() Stats {
	c, written := rt.count, rt.seq.Counts()
	s := Stats{
		Opened: c.opened.Load(), Resumed: c.resumed.Load(), Closed: c.closed.Load(), Submitted: c.submitted.Load(),
		Cancelled: c.cancelled.Load(), Subscribed: c.subscribed.Load(), Cut: c.cut.Load(),
		Ended: map[arcp.JobStatus]uint64{}, Refused: map[arcp.ErrorCode]uint64{},
		ForeignCosts: c.foreign.Load(), Minted: c.minted.Load(), Revoked: c.revoked.Load(),
		Events: written.Events, EventBytes: written.Bytes, Batches: written.Batches,
	}
	for status, n := range c.ended {
		s.Ended[status] = n.Load()
	}
	for code, n := range c.refused {
		s.Refused[code] = n.Load()
	}
	rt.mu.Lock()
	s.Ready = !rt.stopping
	s.Sessions, s.Jobs, s.Finished = int64(len(rt.sessions)), int64(rt.running), int64(len(rt.finished)+len(rt.keyed))
	for _, session := range rt.sessions {
		if session.conn.Load() == nil {
			s.Parked++
		}
	}
	rt.mu.Unlock()
	n := rt.countMints()
	s.Credentials, s.Unrevoked, s.Unrevocable = n.Live, n.Pending, n.Unrevocable
	rt.quotas.add(&s)
	return s
}

// add adds up what all principals have.
func (q *quotas) add(s *Stats) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s.Principals = int64(len(q.by))
	for _, u := range q.by {
		s.Connections += u.has[ofConnections]
		s.Subscriptions += u.has[ofSubscriptions]
		s.StoredBytes += u.bytes.Load()
	}
}
