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
	got     []arcp.Event
	whole   bool // it came to the job's end
	failure error
}

func (w *world) record(r *reading) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.readings = append(w.readings, r)
}

// lastRead is how far a job was read, and whether its reader came to the end.
func (w *world) lastRead(j *client.Job) (last uint64, whole bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.readings {
		if r.of != j {
			continue
		}
		whole = whole || r.whole
		for i := range r.got {
			if index, ok := r.index(i); ok {
				last = max(last, index)
			}
		}
	}
	return last, whole
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
	next, begun := r.from.after+1, false
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
		next = index + 1
	}
	if !r.whole {
		return
	}
	if next != l.end && (begun || !r.from.live) {
		w.fail("%s was given events of %s up to %d, and its end is at %d", r.client, r.job, next-1, l.end)
	}
	if (r.failure == nil) != (l.code == "") || r.failure != nil && arcp.CodeOf(r.failure) != l.code {
		w.fail("%s was told that %s ended as %v, the log has %q", r.client, r.job, r.failure, l.code)
	}
}

// jobLog is what all sessions together were sent of a job.
type jobLog struct {
	bodies map[uint64]string
	end    uint64
	code   arcp.ErrorCode

	success bool
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
			l = &jobLog{bodies: map[uint64]string{}}
			logs[e.JobID] = l
		}
		switch p := e.Payload.(type) {
		case *arcp.JobEvent:
			body, _ := p.Body.AppendJSON(nil)
			l.bodies[index] = string(body)
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
