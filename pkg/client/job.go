package client

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
)

// Job is a job that this session submitted, or observes. Result, Cancel and ResultReader may be called from any goroutine; events are
// read by one at a time. A job that is not needed any more needs no call: it is forgotten with its last reference, once it has ended.
type Job struct {
	session *Session
	id      string

	done   chan struct{}   // closed by finish
	result *arcp.JobResult // these three are written before
	status arcp.JobStatus
	err    error

	reading  atomic.Bool // somebody is in Next
	batch    [][]queued  // taken from the queue by Next; batch[0] is not yet returned from at
	at       int
	held     *queued // returned by Next last: the caller is at work on it
	sinceAck int
	read     atomic.Uint64 // the seq of the last event the caller is done with
	heard    atomic.Bool   // somebody was told its end
	past     atomic.Uint64 // the index done with before the one after it, if that is in the batch

	mu       sync.Mutex
	accepted *arcp.JobAccepted
	order    order
	queue    queue
	chunks   chunks
	end      uint64 // the seq of its end, once that came
	drained  bool   // Next has returned the end
	over     bool   // done is closed
	complete bool   // all that will ever come is in the queue, or was
	kept     bool   // nobody has asked for it yet
	observed bool   // a subscription is to be ended with it
	gap      error  // what Next is to be told before it goes on
	owed     bool   // it is to be told, or Next was not called again since
	short    uint64 // what was done with before it; for a State while it is owed
	lost     error  // why no more will come
}

func newJob(s *Session, id string, accepted *arcp.JobAccepted) *Job {
	if accepted == nil {
		accepted = &arcp.JobAccepted{JobID: id}
	}
	j := &Job{session: s, id: id, accepted: accepted, done: make(chan struct{})}
	j.queue.limit = s.o.EventBytes
	j.chunks.limit = s.o.ResultBytes
	return j
}

// ID returns the job's id.
func (j *Job) ID() string { return j.id }

// Accepted returns the runtime's acceptance: the agent's version, the lease, the budget. Of a job that was subscribed to it is made of
// what the runtime answered; of one that came with a State it may be the id only. It is shared: read only.
func (j *Job) Accepted() *arcp.JobAccepted {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.accepted
}

// Done is closed when the job has ended or its session has; Result then returns at once.
func (j *Job) Done() <-chan struct{} { return j.done }

// Status returns running until the end came, then the final state; of a job whose session ended first it stays running.
func (j *Job) Status() arcp.JobStatus {
	select {
	case <-j.done:
		if j.status != "" {
			return j.status
		}
	default:
	}
	return arcp.StatusRunning
}

// Result waits for the job's end, whether anybody reads its events or not. It returns the result of a job that succeeded, without the
// data of a streamed one (see ResultReader); an *arcp.Error for one that did not; the session's Err when that ended first; ctx's error
// when that did. It may be called any number of times. The result is shared: read only.
func (j *Job) Result(ctx context.Context) (*arcp.JobResult, error) {
	select {
	case <-j.done:
	default:
		select {
		case <-j.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	j.heard.Store(true)
	return j.result, j.err
}

// Cancel asks the runtime to end the job and waits until it has taken the cancel, or refused it with an *arcp.Error (§7.4). The job's end
// comes later; see Result. A cancel whose answer was lost with the link is asked again. ctx bounds the wait only.
func (j *Job) Cancel(ctx context.Context, reason string) error {
	s := j.session
	e := s.envelope("", &arcp.JobCancel{JobID: j.id, Reason: reason})
	e.JobID = j.id
	r, err := s.newRequest(e, j.id)
	if err != nil {
		return err
	}
	err = s.ask(ctx, r)
	if arcp.IsRemote(err) && errors.Is(err, arcp.CodeInvalidRequest) && r.again {
		// The job has ended meanwhile. If by the first cancel, this is no refusal.
		if _, ctxErr := j.Result(ctx); ctxErr != nil && j.Status() == arcp.StatusCancelled {
			return nil
		}
	}
	return err
}

// cancelled takes a job.cancelled, on the reader.
func (s *Session) cancelled(p *arcp.JobCancelled) {
	var r *request
	if p.RequestID != "" {
		r = s.take(p.RequestID)
	} else {
		r = s.takeAbout(arcp.TypeJobCancel, p.JobID)
	}
	if r == nil {
		s.log.Debug("answer to an unknown cancel ignored", "job", p.JobID, "request", p.RequestID)
		return
	}
	r.answer(nil, nil)
}

// claim hands a job out to one who asked for it.
func (j *Job) claim(p *arcp.JobAccepted) *Job {
	j.mu.Lock()
	kept, over := j.kept, j.over
	j.kept = false
	j.queue.limit = j.session.o.EventBytes
	j.describeLocked(p)
	j.mu.Unlock()
	if kept {
		j.session.jobs.claimed()
	}
	if kept && over {
		j.session.jobs.end(j)
	}
	return j
}

func (j *Job) describe(p *arcp.JobAccepted) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.describeLocked(p)
}

func (j *Job) describeLocked(p *arcp.JobAccepted) {
	if p != nil && j.accepted.Agent == "" {
		j.accepted = p
	}
}

// push hands an event over, on the reader. The payload is the job's from now on.
func (j *Job) push(e *arcp.Envelope, p *arcp.JobEvent) {
	size := weight(e, p)
	index := indexOf(e.ID, j.id)
	j.mu.Lock()
	defer j.mu.Unlock()
	switch b := p.Body.(type) {
	case *arcp.ResultChunkBody:
		j.chunks.push(b, e.EventSeq, index, index > 0 && j.session.has(arcp.FeatureSubscribe))
	case *arcp.StatusBody:
		if b.Phase == arcp.PhaseRestarted {
			j.chunks.restart(e.EventSeq, index)
		}
	}
	if j.complete || !j.order.admit(e.EventSeq, index) { // nothing follows the end; a replay may repeat what came before it
		return
	}
	if (j.queue.full(size) || j.missesLocked(index)) && j.canFetch() {
		// What is in the queue goes first; the rest is fetched, or told as shed, when its turn comes. What has no index is a note to this
		// session, of back pressure for one: it is in no log, and nothing to come back for.
		j.order.behind = j.order.behind || index > 0
		return
	}
	j.queue.push(e, p, j.order.last, size)
	j.order.take(index)
}

// missesLocked says whether the log has lost what comes before an event that is admitted.
func (j *Job) missesLocked(index uint64) bool {
	return j.order.misses(index) && j.session.has(arcp.FeatureProgress) && j.session.has(arcp.FeatureResultChunk)
}

// canFetch says whether events that are left out can be had again.
func (j *Job) canFetch() bool { return j.order.seen > 0 && j.session.has(arcp.FeatureSubscribe) }

// finish takes the job's end, on the reader, and ends a subscription to it.
func (j *Job) finish(l *link.Link, seq, index uint64, result *arcp.JobResult, status arcp.JobStatus, err error) {
	j.mu.Lock()
	if j.order.admit(seq, index) { // it is not taken: a State begins before an end that was not read
		missing := j.missesLocked(index) && j.canFetch()
		j.order.behind = j.order.behind || missing
		j.complete = j.complete || !missing
	}
	j.chunks.finish(seq, index)
	if !j.over {
		j.over, j.end = true, seq
		j.result, j.status, j.err = result, status, err
		close(j.done)
	}
	held := j.kept && j.session.in.adopting // somebody knows of it who has not come yet
	given := j.kept && !held
	j.kept = held
	observed := j.observed
	j.observed = false
	j.queue.wake()
	j.mu.Unlock()
	if given {
		j.session.jobs.claimed()
	}
	if !held {
		j.session.jobs.end(j)
	}
	if observed {
		j.session.unobserve(l, j.id)
	}
}

// lose ends the waiting for a job that nothing more comes of.
func (j *Job) lose(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.complete && j.lost == nil {
		j.lost = err
	}
	if !j.over {
		j.over = true
		j.err = err
		close(j.done)
	}
	j.queue.wake()
	j.chunks.fail(err)
}

// begin says from where on the job is followed. A result that began before can be had from its log only.
func (j *Job) begin(o order) {
	j.order, j.chunks.order = o, order{after: o.after, behind: o.behind || o.last > 0}
}
