package sim

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/arcpkit/arcp/internal/invariant"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

func (w *world) keep(k keyedWork) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keyed = append(w.keyed, k)
}

// again is a submit of the principal whose key was used before: the same, or another one under the same key.
func (w *world) again(r *rand.Rand, principal string) (arcp.JobSubmit, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var own []arcp.JobSubmit
	for _, k := range w.keyed {
		if k.principal == principal {
			own = append(own, k.submit)
		}
	}
	if len(own) == 0 {
		return arcp.JobSubmit{}, false
	}
	p := own[r.IntN(len(own))]
	if r.IntN(4) == 0 {
		p.Input = arcp.RawJSON(`{"seed":1,"steps":1}`)
	}
	return p, true
}

// audit reads the log of every job in a session of its own: all that were accepted are listed, and all that are listed come to their end.
func (w *world) audit() {
	for i, p := range principals {
		a := newBare(w, uint64(900+i), p)
		a.features = arcp.Features()
		a.line = a.dial(faulty.Plan{}, nil)
		if !a.line.open() {
			w.fail("no session for the audit of %s", p)
			return
		}
		a.line.patient()
		a.follow(slices.Sorted(maps.Keys(a.list())))
		listed := a.list()
		for _, id := range acceptedBy(w.runtimes.Trace(), p) {
			if _, ok := listed[id]; !ok {
				w.fail("list_jobs of %s lacks %s", p, id)
			}
		}
		for id, status := range listed {
			if status == arcp.StatusRunning || status == arcp.StatusPending {
				w.fail("list_jobs of %s has %s as %s after its end", p, id, status)
			}
		}
		a.line.close()
	}
}

// follow reads jobs from their beginning to their end.
func (b *bare) follow(jobs []string) {
	for _, id := range jobs {
		b.mu.Lock()
		b.mine[id] = false
		b.mu.Unlock()
		b.line.write(&arcp.Envelope{ID: b.nextID(), SessionID: b.id, Payload: &arcp.JobSubscribe{JobID: id, History: true}})
	}
	if !b.await() {
		b.w.fail("the audit of %s was never told the end of job %s (%d jobs, link alive %v)", b.principal, b.waiting(), len(jobs), b.alive())
	}
}

// list walks the pages; no job may come twice.
func (b *bare) list() map[string]arcp.JobStatus {
	got := map[string]arcp.JobStatus{}
	limit := uint64(3)
	for cursor := ""; ; {
		id := b.nextID()
		before := len(b.w.clients.Trace())
		b.line.write(&arcp.Envelope{ID: id, SessionID: b.id, Payload: &arcp.SessionListJobs{Limit: &limit, Cursor: cursor}})
		time.Sleep(time.Second)
		page := answerTo(b.w.clients.Trace()[before:], id)
		if page == nil {
			b.w.fail("list_jobs of %s was not answered", b.principal)
			return got
		}
		for i := range page.Jobs {
			row := &page.Jobs[i]
			if _, twice := got[row.JobID]; twice {
				b.w.fail("list_jobs of %s has %s twice", b.principal, row.JobID)
			}
			got[row.JobID] = row.Status
		}
		if cursor = page.NextCursor; cursor == "" {
			return got
		}
	}
}

func answerTo(trace invariant.Trace, id string) *arcp.SessionJobs {
	for i := range trace {
		if trace[i].From == arcp.FromRuntime {
			if e, err := arcp.Decode(trace[i].Data); err == nil {
				if p, ok := e.Payload.(*arcp.SessionJobs); ok && p.RequestID == id {
					return p
				}
			}
		}
	}
	return nil
}

// acceptedBy are the jobs that the runtime accepted for a principal.
func acceptedBy(trace invariant.Trace, principal string) (jobs []string) {
	who := map[int]string{}
	for i := range trace {
		e, err := arcp.Decode(trace[i].Data)
		if err != nil {
			continue
		}
		switch p := e.Payload.(type) {
		case *arcp.SessionHello:
			who[trace[i].Link] = principalOf(p.Auth.Token.Reveal())
		case *arcp.SessionResume:
			who[trace[i].Link] = principalOf(p.Auth.Token.Reveal())
		case *arcp.JobAccepted:
			if who[trace[i].Link] == principal && !slices.Contains(jobs, p.JobID) {
				jobs = append(jobs, p.JobID)
			}
		}
	}
	return jobs
}
