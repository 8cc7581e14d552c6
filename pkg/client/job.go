package client

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Job is a job that this session submitted. Result, Cancel and ResultReader may be called from any goroutine; events are read by one at
// a time. A job that is not needed any more needs no call: it is forgotten with its last reference.
type Job struct {
	session  *Session
	id       string
	accepted *arcp.JobAccepted

	done   chan struct{}   // closed by finish
	result *arcp.JobResult // these three are written before
	status arcp.JobStatus
	err    error

	reading atomic.Bool // somebody is in Next
	batch   [][]queued  // taken from the queue by Next; batch[0] is not yet returned from at
	at      int

	mu     sync.Mutex
	queue  queue
	chunks chunks
}

func newJob(s *Session, id string, accepted *arcp.JobAccepted) *Job {
	j := &Job{session: s, id: id, accepted: accepted, done: make(chan struct{})}
	j.queue.limit = s.o.EventBytes
	j.chunks.limit = s.o.ResultBytes
	return j
}

// ID returns the job's id.
func (j *Job) ID() string { return j.id }

// Accepted returns the runtime's acceptance: the agent's version, the lease, the budget. It is shared: read only.
func (j *Job) Accepted() *arcp.JobAccepted { return j.accepted }

// Done is closed when the job has ended or its link is lost; Result then returns at once.
func (j *Job) Done() <-chan struct{} { return j.done }

// Status returns running until the end came, then the final state; of a job whose link was lost it stays running.
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
// data of a streamed one (see ResultReader); an *arcp.Error for one that did not; ErrLinkLost when the link ended first; ctx's error
// when that did. It may be called any number of times. The result is shared: read only.
func (j *Job) Result(ctx context.Context) (*arcp.JobResult, error) {
	select {
	case <-j.done:
		return j.result, j.err
	default:
	}
	select {
	case <-j.done:
		return j.result, j.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Cancel asks the runtime to end the job and waits until it has taken the cancel, or refused it with an *arcp.Error (§7.4). The job's end
// comes later; see Result. ctx bounds the wait only.
func (j *Job) Cancel(ctx context.Context, reason string) error {
	s := j.session
	r := s.newRequest(arcp.TypeJobCancel, j.id)
	e := s.envelope(r.id, &arcp.JobCancel{JobID: j.id, Reason: reason})
	e.JobID = j.id
	if err := e.Validate(); err != nil {
		return err
	}
	if !s.expect(r) {
		return s.lost(ctx)
	}
	if err := s.link.Send(e); err != nil {
		s.forget(r)
		return s.sendError(ctx, err)
	}
	_, err := s.wait(ctx, r)
	return err
}

// cancelled takes a job.cancelled, on the reader.
func (s *Session) cancelled(p *arcp.JobCancelled) {
	var r *request
	if p.RequestID != "" {
		r = s.take(p.RequestID)
	} else {
		r = s.takeCancel(p.JobID)
	}
	if r == nil {
		s.log.Debug("answer to an unknown cancel ignored", "job", p.JobID, "request", p.RequestID)
		return
	}
	r.answer(nil, nil)
}

// push hands an event over, on the reader. The payload is the job's from now on.
func (j *Job) push(e *arcp.Envelope, p *arcp.JobEvent) {
	size := weight(e, p)
	j.mu.Lock()
	j.queue.push(e, p, size)
	if c, ok := p.Body.(*arcp.ResultChunkBody); ok {
		j.chunks.push(c)
	}
	j.mu.Unlock()
}

// finish ends the job, once, on the reader.
func (j *Job) finish(result *arcp.JobResult, status arcp.JobStatus, err error) {
	j.result, j.status, j.err = result, status, err
	close(j.done)
}
