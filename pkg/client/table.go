package client

import (
	"cmp"
	"maps"
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
	ended map[string]ended
	sweep int      // how large ended may grow before it is looked through
	left  []parted // the last that were unsubscribed from
	kept  int      // jobs nobody has asked for yet
}

// ended is a job that has ended.
type ended struct {
	job weak.Pointer[Job]
	// Its events were read to the end, but its result is being read: who asks for the job is given another one.
	spent bool
}

// parted is a job that was unsubscribed from, of which more may be under way.
type parted struct {
	id   string
	told *link.Link // the last link the runtime was told on
}

const (
	maxLeft  = 256 // what is remembered of jobs that were unsubscribed from
	maxKept  = 256 // jobs nobody has asked for yet, beside those of a State
	minSweep = 64
)

// get returns the job of that id that frames are for, nil for none.
func (t *table) get(id string) *Job {
	t.mu.Lock()
	defer t.mu.Unlock()
	if j := t.byID[id]; j != nil {
		return j
	}
	return t.ended[id].job.Value()
}

// find returns the job of that id that may be given to who asks for it, nil for none.
func (t *table) find(id string) *Job {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.findLocked(id)
}

func (t *table) findLocked(id string) *Job {
	if j := t.byID[id]; j != nil {
		return j
	}
	if e := t.ended[id]; !e.spent {
		return e.job.Value()
	}
	return nil
}

// add puts a job in, unless there is one of that id. It returns the one that is in.
func (t *table) add(j *Job) *Job {
	t.mu.Lock()
	there := t.findLocked(j.id)
	if there != nil || t.closed {
		t.mu.Unlock()
		return cmp.Or(there, j)
	}
	spent := t.ended[j.id].job.Value()
	if spent != nil {
		delete(t.ended, j.id)
	}
	t.changes.Add(1)
	t.byID[j.id] = j
	t.left = slices.DeleteFunc(t.left, func(p parted) bool { return p.id == j.id })
	t.mu.Unlock()
	if spent != nil {
		spent.cutResult()
	}
	return j
}

// keep is add for a job nobody has asked for; nil when there are too many of those.
func (t *table) keep(j *Job, limit int) *Job {
	t.mu.Lock()
	if there := t.findLocked(j.id); there != nil || t.kept >= limit {
		t.mu.Unlock()
		return there
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
func (t *table) end(j *Job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID[j.id] != j {
		return
	}
	t.changes.Add(1)
	delete(t.byID, j.id)
	t.endedLocked(j, false)
}

func (t *table) endedLocked(j *Job, spent bool) {
	if t.ended == nil {
		t.ended = make(map[string]ended)
	}
	if len(t.ended) >= max(t.sweep, minSweep) {
		maps.DeleteFunc(t.ended, func(_ string, e ended) bool { return e.job.Value() == nil })
		t.sweep = 2 * len(t.ended)
	}
	t.ended[j.id] = ended{weak.Make(j), spent}
}

// drained forgets a job that was read to its end, but for the frames of its result if that is being read.
func (t *table) drained(j *Job, result bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended[j.id].job.Value() != j {
		return
	}
	t.changes.Add(1)
	delete(t.ended, j.id)
	if result {
		t.endedLocked(j, true)
	}
}

// recall sees to it that frames come to a job again. It cannot when there is another one of that id.
func (t *table) recall(j *Job) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	there := t.byID[j.id]
	if there == nil {
		there = t.ended[j.id].job.Value()
	}
	if there == nil && !t.closed {
		t.endedLocked(j, true)
		return true
	}
	return there == j
}

// leave takes a job out that was unsubscribed from.
func (t *table) leave(id string, told *link.Link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes.Add(1)
	delete(t.byID, id)
	delete(t.ended, id)
	t.left = slices.DeleteFunc(t.left, func(p parted) bool { return p.id == id })
	if len(t.left) == maxLeft {
		t.left = slices.Delete(t.left, 0, 1)
	}
	t.left = append(t.left, parted{id, told})
}

// pass says whether the runtime should be told again, on this link, that a job is not followed any more.
func (t *table) pass(id string, l *link.Link) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.left, func(p parted) bool { return p.id == id })
	if i < 0 || t.left[i].told == l {
		return false
	}
	t.left[i].told = l
	return true
}

// all returns the jobs that are in and those that may still be read.
func (t *table) all() []*Job {
	t.mu.Lock()
	defer t.mu.Unlock()
	jobs := make([]*Job, 0, len(t.byID)+len(t.ended))
	for _, j := range t.byID {
		jobs = append(jobs, j)
	}
	for id, e := range t.ended {
		if j := e.job.Value(); j != nil {
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
	j.begin(o)
	j.kept = true
	j.queue.limit = min(keptBytes, s.o.EventBytes)
	return s.jobs.keep(j, maxKept)
}

// keptBytes is what is kept of the events of a job that nobody has asked for yet.
const keptBytes = 64 << 10
