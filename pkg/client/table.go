package client

import (
	"slices"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
)

// table is the jobs whose events are looked for, by id. Its lock is taken under that of a job, never the other way round.
type table struct {
	changes atomic.Uint64 // counts the jobs taken out

	mu     sync.Mutex
	byID   map[string]*Job
	closed bool
	// Jobs that have ended and may not be read to the end. Whoever reads one holds it; one that nobody can read any more goes by itself.
	ended map[string]weak.Pointer[Job]
	sweep int      // how large ended may grow before it is looked through
	left  []parted // the last that went
	kept  int      // jobs nobody has asked for yet
}

// parted is a job that has ended or was unsubscribed from: what is still under way of it is nobody's, and must not be taken for what a new
// subscription brings.
type parted struct {
	id    string
	at    uint64 // as in order
	base  uint64 // the index after which events were asked for
	first uint64 // the first that came; 0 for none
	ended bool
	told  *link.Link // otherwise, the last link the runtime was told on that it is not followed any more
}

const (
	maxLeft  = 256 // what is remembered of jobs that went
	maxKept  = 256 // jobs nobody has asked for yet, beside those of a State
	minSweep = 64
)

// get returns the job of that id, nil for none.
func (t *table) get(id string) *Job {
	t.mu.Lock()
	defer t.mu.Unlock()
	if j := t.byID[id]; j != nil {
		return j
	}
	return t.ended[id].Value()
}

// add puts a job in, unless there is one of that id. It returns the one that is in.
func (t *table) add(j *Job) *Job {
	t.mu.Lock()
	defer t.mu.Unlock()
	if there := t.byID[j.id]; there != nil {
		return there
	}
	if there := t.ended[j.id].Value(); there != nil {
		return there
	}
	if !t.closed {
		t.byID[j.id] = j
	}
	return j
}

// keep is add for a job nobody has asked for; nil when there are too many of those.
func (t *table) keep(j *Job, limit int) *Job {
	t.mu.Lock()
	if t.kept >= limit {
		t.mu.Unlock()
		return nil
	}
	t.kept++
	t.mu.Unlock()
	return t.add(j)
}

func (t *table) claimed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept--
}

// end lets go of a job that has ended.
func (t *table) end(j *Job, p parted) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID[j.id] != j {
		return
	}
	t.partLocked(p)
	t.changes.Add(1)
	delete(t.byID, j.id)
	if t.ended == nil {
		t.ended = make(map[string]weak.Pointer[Job])
	}
	if len(t.ended) >= max(t.sweep, minSweep) {
		for id, w := range t.ended {
			if w.Value() == nil {
				delete(t.ended, id)
			}
		}
		t.sweep = 2 * len(t.ended)
	}
	t.ended[j.id] = weak.Make(j)
}

// drained forgets a job that was read to its end.
func (t *table) drained(j *Job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes.Add(1)
	if t.ended[j.id].Value() == j {
		delete(t.ended, j.id)
	}
}

// leave takes a job out that was unsubscribed from.
func (t *table) leave(p parted) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes.Add(1)
	delete(t.byID, p.id)
	delete(t.ended, p.id)
	t.partLocked(p)
}

func (t *table) partLocked(p parted) {
	if i := t.findLeftLocked(p.id); i >= 0 {
		t.left[i] = p
		return
	}
	if len(t.left) == maxLeft {
		t.left = slices.Delete(t.left, 0, 1)
	}
	t.left = append(t.left, p)
}

func (t *table) findLeftLocked(id string) int {
	return slices.IndexFunc(t.left, func(p parted) bool { return p.id == id })
}

// pass notes an event of a job that went. It says whether it is one, and whether the runtime should be told so again.
func (t *table) pass(id string, index uint64, l *link.Link) (left, tell bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.findLeftLocked(id)
	if i < 0 {
		return false, false
	}
	p := &t.left[i]
	p.at = index
	tell = !p.ended && p.told != l
	p.told = l
	return true, tell
}

// rejoin returns where a new subscription to a job begins, after index last.
func (t *table) rejoin(id string, last uint64) order {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := order{last: last, at: last}
	i := t.findLeftLocked(id)
	if i < 0 {
		return o
	}
	if p := t.left[i]; p.at > last { // what was asked for before may still come first
		o = order{last: last, at: p.at, behind: true, cold: true, fetching: true}
		switch {
		case last < p.base:
			o.below = p.base
		case last < p.first:
			o.last, o.exact = p.first-1, true
		}
	}
	t.left = slices.Delete(t.left, i, i+1)
	return o
}

// all returns the jobs that are in and those that may still be read.
func (t *table) all() []*Job {
	t.mu.Lock()
	defer t.mu.Unlock()
	jobs := make([]*Job, 0, len(t.byID)+len(t.ended))
	for _, j := range t.byID {
		jobs = append(jobs, j)
	}
	for id, w := range t.ended {
		if j := w.Value(); j != nil {
			jobs = append(jobs, j)
		} else {
			delete(t.ended, id)
		}
	}
	return jobs
}

// close takes no more jobs in, and returns those that are in.
func (t *table) close() []*Job {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	return t.all()
}

// keep makes a job that nobody has asked for yet, with little room for its events.
func (s *Session) keep(id string, o order, p *arcp.JobAccepted) *Job {
	j := newJob(s, id, p)
	j.order, j.base, j.kept = o, o.last, true
	j.queue.limit = min(keptBytes, s.o.EventBytes)
	return s.jobs.keep(j, maxKept)
}

// keptBytes is what is kept of the events of a job that nobody has asked for yet.
const keptBytes = 64 << 10
