package runtime

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// resource is what a principal may have so many of.
type resource uint8

const (
	ofConnections resource = iota
	ofSessions
	ofJobs
	ofSubscriptions
	ofLogs // jobs remembered, finished ones too; they are bounded by their bytes
	resources
)

// quotas counts what each principal has now. A principal that has nothing, and whose requests are long enough ago, is forgotten.
type quotas struct {
	limits *Limits
	start  time.Time

	mu sync.Mutex
	by map[string]*usage
}

// usage is what one principal has. The lock of quotas guards all but bytes.
type usage struct {
	of        *quotas
	principal string
	has       [resources]int64
	submits   bucket
	requests  bucket
	waning    *time.Timer  // forgets it once its buckets are full again; nil while it has something
	bytes     atomic.Int64 // kept of its jobs
}

func newQuotas(l *Limits) *quotas {
	return &quotas{limits: l, start: time.Now(), by: map[string]*usage{}}
}

// bound returns a limit and its name.
func (q *quotas) bound(r resource) (int64, string) {
	switch r {
	case ofConnections:
		return q.limits.PrincipalConnections, limitPrincipalConnections
	case ofSessions:
		return q.limits.PrincipalSessions, limitPrincipalSessions
	case ofJobs:
		return q.limits.PrincipalJobs, limitPrincipalJobs
	case ofSubscriptions:
		return q.limits.PrincipalSubscriptions, limitPrincipalSubscriptions
	default:
		return -1, ""
	}
}

// slot is one of what a principal has. The zero slot is none. The lock of quotas guards it.
type slot struct {
	usage *usage
	kind  resource
	held  bool
}

// take gives a principal one more of something, or says why not. A slot that is held stays as it is.
func (q *quotas) take(s *slot, principal string, r resource) *arcp.Error {
	most, name := q.bound(r)
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.usage(principal)
	if most >= 0 && u.has[r] >= most && !s.held {
		u.rest()
		return overLimit(arcp.CodeRateLimited, name, most)
	}
	u.give(s, r)
	return nil
}

// force is take for what is there already, as what another node or a former process left: it counts and is not refused.
// It says whether the slot was not held before.
func (q *quotas) force(s *slot, principal string, r resource) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.usage(principal).give(s, r)
}

func (u *usage) give(s *slot, r resource) bool {
	if s.held {
		return false
	}
	s.usage, s.kind, s.held = u, r, true
	u.has[r]++
	return true
}

// release gives a slot back, once. It says whether it was held.
func (q *quotas) release(s *slot) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !s.held {
		return false
	}
	s.held = false
	s.usage.has[s.kind]--
	s.usage.rest()
	return true
}

// spend takes a token from a principal's bucket for a message, or says why not.
func (q *quotas) spend(principal string, p arcp.Payload) *arcp.Error {
	rate, burst, name := q.limits.PrincipalRequestRate, q.limits.PrincipalRequestBurst, limitPrincipalRequestRate
	switch p.(type) {
	case *arcp.JobSubmit:
		rate, burst, name = q.limits.PrincipalSubmitRate, q.limits.PrincipalSubmitBurst, limitPrincipalSubmitRate
	case *arcp.SessionPing, *arcp.SessionListJobs, *arcp.JobCancel, *arcp.JobSubscribe, *arcp.JobUnsubscribe:
	default:
		return nil
	}
	if rate < 0 {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.usage(principal)
	defer u.rest()
	from := &u.requests
	if name == limitPrincipalSubmitRate {
		from = &u.submits
	}
	if n, _ := from.take(time.Since(q.start), rate, burst, 1); n > 0 {
		return nil
	}
	return overLimit(arcp.CodeRateLimited, name, rate)
}

// usage returns what is kept of a principal, from now on. The caller holds q.mu.
func (q *quotas) usage(principal string) *usage {
	u := q.by[principal]
	if u == nil {
		u = &usage{of: q, principal: principal}
		q.by[principal] = u
	}
	return u
}

// rest forgets a principal that has nothing, at once or when its buckets are full. The caller holds q.mu.
func (u *usage) rest() {
	if u.has != [resources]int64{} || u.of.by[u.principal] != u {
		return
	}
	q := u.of
	now := time.Since(q.start)
	full := max(u.submits.full(now, q.limits.PrincipalSubmitRate), u.requests.full(now, q.limits.PrincipalRequestRate))
	switch {
	case full <= 0:
		delete(q.by, u.principal)
	case u.waning == nil:
		u.waning = time.AfterFunc(full, func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			u.waning = nil
			u.rest()
		})
	}
}

// overLimit is a refusal that says which limit was reached.
func overLimit(code arcp.ErrorCode, name string, most int64) *arcp.Error {
	err := arcp.NewError(code, "the limit %s of %d is reached", name, most)
	return withDetail(withDetail(err, arcp.DetailLimit, name), arcp.DetailMax, most)
}

// charge lets what is kept of the job count as its principal's, until discharge.
func (j *job) charge() {
	if j.rt.quotas.force(&j.stored, j.principal, ofLogs) {
		sum := &j.stored.usage.bytes
		sum.Add(lineCopies * int64(len(j.line)))
		j.log.Charge(sum)
	}
}

func (j *job) discharge() {
	u := j.stored.usage
	if j.rt.quotas.release(&j.stored) {
		j.log.Charge(nil)
		u.bytes.Add(-lineCopies * int64(len(j.line)))
	}
}

// overBytes says whether as much is kept for a principal as may be.
func (q *quotas) overBytes(principal string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.by[principal]
	return u != nil && u.full()
}

func (u *usage) full() bool {
	most := u.of.limits.PrincipalBytes
	return most >= 0 && u.bytes.Load() >= most
}

// claim counts a job that is about to be accepted, or says why it may not be.
func (j *job) claim() *arcp.Error {
	if j.rt.quotas.overBytes(j.principal) {
		return overLimit(arcp.CodeBackpressure, limitPrincipalBytes, j.rt.opts.Limits.PrincipalBytes)
	}
	if refusal := j.rt.quotas.take(&j.slot, j.principal, ofJobs); refusal != nil {
		return refusal
	}
	j.owner.unfinished.Add(1)
	return nil
}

// admitResume counts the connection of a client that resumes. Where it takes the place of one, there is no question of how many
// there are.
func (rt *Runtime) admitResume(c *connection, who *Principal, cl *claim) *arcp.Error {
	s := rt.find(cl.session, arcp.HashToken(cl.token.Reveal()))
	if s != nil && s.principal == who.ID && s.conn.Load() != nil {
		rt.quotas.force(&c.slot, who.ID, ofConnections)
		return nil
	}
	return rt.quotas.take(&c.slot, who.ID, ofConnections)
}
