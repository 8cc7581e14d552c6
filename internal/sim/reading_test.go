package sim

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
)

// read returns the events of a job in the order they came.
func read(ctx context.Context, j *client.Job, nap time.Duration) (got []arcp.Event, err error) {
	for ev, err := range j.Events(ctx) {
		if err != nil {
			return got, err
		}
		got = append(got, *ev)
		if nap > 0 {
			time.Sleep(nap)
		}
	}
	return got, nil
}

// start is where a reading begins.
type start struct {
	after uint64 // behind this index
	again bool   // or with it, for it may not have counted as processed
	live  bool   // wherever the job is
}

// reading is what one iterator yielded.
type reading struct {
	client  string
	of      *client.Job
	job     string
	from    start
	sparse  bool
	got     []arcp.Event
	whole   bool // it came to the job's end
	failure error
}

func (w *world) record(r *reading) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.readings = append(w.readings, r)
}

// lastRead is how far a job was read, whether it still begins wherever the job is, and whether its reader came to the end.
func (w *world) lastRead(j *client.Job) (last uint64, live, whole bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.readings {
		if r.of != j {
			continue
		}
		live, whole = live || r.from.live, whole || r.whole
		for i := range r.got {
			if index, ok := r.index(i); ok {
				last = max(last, index)
			}
		}
	}
	return last, live && last == 0, whole
}

// index is the place in the job's log of an event; none for back pressure, which is the session's own.
func (r *reading) index(i int) (uint64, bool) {
	index, err := strconv.ParseUint(strings.TrimPrefix(r.got[i].ID, r.job+"."), 10, 64)
	return index, err == nil
}

// compare holds every reading against the log of its job.
func (w *world) compare(logs map[string]*jobLog) {
	for _, r := range w.readings {
		l := logs[r.job]
		if l == nil {
			if len(r.got) > 0 || r.whole {
				w.fail("%s has read job %s, of which no session was sent anything", r.client, r.job)
			}
			continue
		}
		w.hold(r, l)
	}
}

// hold compares one reading with the log.
func (w *world) hold(r *reading, l *jobLog) {
	next, begun := l.next(r.from.after, r.sparse), false
	for i := range r.got {
		index, ok := r.index(i)
		if !ok {
			continue
		}
		if !begun && (r.from.live || r.from.again && index == r.from.after) {
			next = index
		}
		begun = true
		if id := r.got[i].ID; index != next {
			w.fail("%s was given %s, want %s.%d", r.client, id, r.job, next)
		} else if body, _ := r.got[i].Body.AppendJSON(nil); string(body) != l.bodies[index] {
			w.fail("%s was given %s as %s, the log has %s", r.client, id, body, l.bodies[index])
		}
		next = l.next(index, r.sparse)
	}
	if !r.whole {
		return
	}
	if next != l.end && (begun || !r.from.live) {
		w.fail("%s was given events of %s up to %d, and its end is at %d", r.client, r.job, next-1, l.end)
	}
	if r.sparse && l.success && arcp.CodeOf(r.failure) == arcp.CodeInternalError {
		return // its result could not be put together
	}
	if (r.failure == nil) != (l.code == "") || r.failure != nil && arcp.CodeOf(r.failure) != l.code {
		w.fail("%s was told that %s ended as %v, the log has %q", r.client, r.job, r.failure, l.code)
	}
}

// jobLog is what all sessions together were sent of a job.
type jobLog struct {
	bodies map[uint64]string
	gated  map[uint64]bool // not for sparse clients
	last   uint64
	end    uint64
	code   arcp.ErrorCode

	success bool
}

// next is the index of what a client sees after another one. What no session was sent is hidden from all that are sparse.
func (l *jobLog) next(index uint64, sparse bool) uint64 {
	for index++; sparse && index < l.last && (l.gated[index] || l.bodies[index] == "" && index != l.end); {
		index++
	}
	return index
}

// logs gathers the logs of all jobs from what the runtime sent.
func (w *world) logs() map[string]*jobLog {
	logs := map[string]*jobLog{}
	for _, s := range w.runtimes.Trace() {
		if s.From != arcp.FromRuntime {
			continue
		}
		e, err := arcp.Decode(s.Data)
		if err != nil || e.EventSeq == 0 {
			continue
		}
		index, err := strconv.ParseUint(strings.TrimPrefix(e.ID, e.JobID+"."), 10, 64)
		if err != nil {
			continue
		}
		l := logs[e.JobID]
		if l == nil {
			l = &jobLog{bodies: map[uint64]string{}, gated: map[uint64]bool{}}
			logs[e.JobID] = l
		}
		l.last = max(l.last, index)
		switch p := e.Payload.(type) {
		case *arcp.JobEvent:
			body, _ := p.Body.AppendJSON(nil)
			l.bodies[index] = string(body)
			l.gated[index] = p.Kind == arcp.KindProgress || p.Kind == arcp.KindResultChunk
		case *arcp.JobResult:
			l.end, l.code, l.success = index, "", true
		case *arcp.JobError:
			if l.end = index; !l.success { // a session that takes no chunks may be told of an error instead of the result
				l.code = p.Code
			}
		}
	}
	return logs
}
