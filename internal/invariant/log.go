package invariant

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// job is what all sessions together know of a job.
type job struct {
	id        string
	principal string
	accepted  int // step of the first acceptance
	log       map[uint64]logEntry
	last      uint64
	end       uint64 // index of the terminal, 0 while there is none
	status    arcp.JobStatus
	told      map[arcp.JobStatus]int // final states that answers spoke of, by step
	cancelled bool                   // a cancel was taken
}

// logEntry is one position of a job's log. A streamed result has a second form, for sessions that take no chunks.
type logEntry struct {
	at      int // the step that showed it first
	payload arcp.Payload
	tail    []byte
	feature arcp.Feature
	inline  []byte
}

// stream is one session's reading of one job.
type stream struct {
	next   uint64   // the index that continues it, 0 before the first
	starts []uint64 // indexes behind which an answer lets it begin again
	left   bool     // an unsubscribe may have ended it
}

// skip is what a session did not see of a job, for want of features as it seems.
type skip struct {
	session  *session
	job      *job
	from, to uint64 // to is the next it saw
	at       int
}

func (c *checker) job(id string) *job {
	j := c.jobs[id]
	if j == nil {
		j = &job{id: id, accepted: -1, log: map[uint64]logEntry{}, told: map[arcp.JobStatus]int{}}
		c.jobs[id] = j
	}
	return j
}

// entry takes a numbered frame that the session sees for the first time (I2, I4).
func (c *checker) entry(s *session, e *arcp.Envelope) {
	index, ok := indexOf(e)
	if !ok {
		c.ownEvent(s, e)
		return
	}
	j := c.job(e.JobID)
	c.record(s, j, index, e)
	c.follow(s, j, index)
}

// indexOf is the position in the job's log that an event's id tells (§5).
func indexOf(e *arcp.Envelope) (uint64, bool) {
	job, n, ok := strings.Cut(e.ID, ".")
	if !ok || job != e.JobID {
		return 0, false
	}
	index, err := strconv.ParseUint(n, 10, 64)
	return index, err == nil && index > 0 && e.ID == arcp.EventID(job, index)
}

// ownEvent is an event that a session alone sees, which only back pressure makes (§6.5).
func (c *checker) ownEvent(s *session, e *arcp.Envelope) {
	if ev, ok := e.Payload.(*arcp.JobEvent); ok {
		if b, ok := ev.Body.(*arcp.StatusBody); ok && b.Phase == arcp.PhaseBackPressure {
			return
		}
	}
	c.fail(OneLog, s.id, e.JobID, "%s has the id %q, which is no position in the job's log", e.Type, e.ID)
}

// record holds an entry against what others saw at its place.
func (c *checker) record(s *session, j *job, index uint64, e *arcp.Envelope) {
	status, terminal := final(e)
	switch {
	case terminal && j.end != 0 && j.end != index:
		c.fail(OneEnd, s.id, j.id, "a second end at %d, the first is at %d", index, j.end)
	case j.end != 0 && index > j.end:
		c.fail(OneEnd, s.id, j.id, "%s at %d after the end at %d", e.Type, index, j.end)
	case terminal && j.last > index:
		c.fail(OneEnd, s.id, j.id, "the end is at %d, and there is an entry at %d", index, j.last)
	}
	j.last = max(j.last, index)
	inline := terminal && !s.has(arcp.FeatureResultChunk)
	if terminal && !inline && (j.end == 0 || j.status == "") {
		j.status = status
	}
	if terminal && j.end == 0 {
		j.end = index
	}
	tail, err := arcp.AppendSequencedTail(nil, e)
	if err != nil {
		return // Validate has told
	}
	en, known := j.log[index]
	if !known {
		en.at = c.at
	}
	if !inline {
		en.payload = e.Payload
	}
	place := &en.tail
	if inline {
		place = &en.inline
	}
	switch {
	case *place == nil:
		*place = tail
	case !bytes.Equal(*place, tail):
		c.fail(OneLog, s.id, j.id, "the entry at %d differs from what was seen before", index)
	}
	if ev, ok := e.Payload.(*arcp.JobEvent); ok {
		en.feature = featureOf(ev.Kind)
	}
	j.log[index] = en
}

// final is the state that a terminal gives.
func final(e *arcp.Envelope) (arcp.JobStatus, bool) {
	switch p := e.Payload.(type) {
	case *arcp.JobResult:
		return arcp.StatusSuccess, true
	case *arcp.JobError:
		return p.FinalStatus, true
	}
	return "", false
}

// follow checks that a session reads a job's log in order (I4): on from where it was, or from where an answer lets it begin.
func (c *checker) follow(s *session, j *job, index uint64) {
	st := s.stream(j.id)
	ok := st.next == index || st.begins(index, s.isBlind()) || s.isBlind() && c.skipped(s, j, st, index)
	if !ok && !c.awaits(s, j.id) && (!s.old || st.next != 0) {
		if st.next == 0 {
			c.fail(OneLog, s.id, j.id, "an entry at %d of a job that the session neither submitted nor watches", index)
		} else {
			c.fail(OneLog, s.id, j.id, "an entry at %d, want %d", index, st.next)
		}
	}
	st.next = index + 1
}

// begins says whether an answer lets the stream begin at index, and takes it as used. A blind session may only have skipped to index, so
// its answers stay good.
func (st *stream) begins(index uint64, blind bool) bool {
	i := slices.Index(st.starts, index-1)
	if i >= 0 && !blind {
		st.starts = slices.Delete(st.starts, i, i+1)
	}
	return i >= 0
}

// isBlind says whether there are kinds that the session does not see.
func (s *session) isBlind() bool {
	return !s.has(arcp.FeatureProgress) || !s.has(arcp.FeatureResultChunk)
}

// skipped says whether a blind session may have come to index past entries it does not see, and notes those for later: which kind they are
// others may have yet to show. Of several ways the shortest is held against the log, and no answer is taken as used.
func (c *checker) skipped(s *session, j *job, st *stream, index uint64) bool {
	from := uint64(0)
	if st.next < index {
		from = st.next
	}
	for _, start := range st.starts {
		if start+1 < index {
			from = max(from, start+1)
		}
	}
	if from == 0 {
		return false
	}
	c.skips = append(c.skips, skip{s, j, from, index, c.at})
	return true
}

func (s *session) stream(jobID string) *stream {
	st := s.streams[jobID]
	if st == nil {
		st = &stream{}
		s.streams[jobID] = st
	}
	return st
}

// closeLogs judges gaps, final states and jobs without an end.
func (c *checker) closeLogs() {
	for _, k := range c.skips {
		c.at = k.at
		for i := k.from; i < k.to; i++ {
			if e, ok := k.job.log[i]; ok && k.session.has(e.feature) {
				c.fail(OneLog, k.session.id, k.job.id, "the entry at %d is missing before that at %d", i, k.to)
			}
		}
	}
	for _, id := range sorted(c.jobs) {
		j := c.jobs[id]
		c.at = j.accepted
		if c.o.Whole && j.accepted >= 0 && j.end == 0 {
			c.fail(EveryEnd, "", id, "was accepted and never ended")
		}
		for status, at := range j.told {
			if c.at = at; j.status != "" && status != j.status {
				c.fail(OneEnd, "", id, "was told to be %s, and ended as %s", status, j.status)
			}
		}
		if c.at = j.accepted; j.cancelled && j.status != "" && j.status != arcp.StatusCancelled {
			c.fail(OneEnd, "", id, "a cancel was taken, and it ended as %s", j.status)
		}
		c.runs(j)
	}
}
