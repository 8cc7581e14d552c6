package client

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
)

// SubscribeOptions says what to see of a job. The zero value is what happens from now on.
type SubscribeOptions struct {
	// History asks for what has happened, too.
	History bool
	// From is the index in the job's log after which its history begins; 0 is all of it. An event's ID ends in its index.
	From uint64
}

// Subscribe follows a job that this session did not submit (§7.6): its events, its result. It gives no right to cancel it. A session has
// one Job for each id that has not ended or is not read to its end: if there is one, it is returned as it is. ctx bounds the wait for the
// answer. A job one may not see is JOB_NOT_FOUND; a history that is not kept any more is RESUME_WINDOW_EXPIRED.
func (s *Session) Subscribe(ctx context.Context, jobID string, o *SubscribeOptions) (*Job, error) {
	if o == nil {
		o = &SubscribeOptions{}
	}
	if j := s.jobs.find(jobID); j != nil {
		if j.claim(nil).mustAsk() {
			return j, j.fetch(ctx, &j.order)
		}
		return j, nil
	}
	r, err := s.subscription(jobID, o.From, o.History)
	if err == nil {
		err = s.ask(ctx, r)
	}
	return r.jobOf(), err
}

// Attach returns a job of this session by its id: one that came with a State, one whose submit was given up, or any other that the
// runtime lets it see, with its history (§7.6). See Subscribe.
func (s *Session) Attach(ctx context.Context, jobID string) (*Job, error) {
	return s.Subscribe(ctx, jobID, &SubscribeOptions{History: true})
}

// Unsubscribe ends the following of a job: what waits for it fails with ErrUnsubscribed, and the Job is of no more use. The job itself goes
// on. Events that have come may still be read.
func (j *Job) Unsubscribe(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := j.session
	if err := s.require(arcp.FeatureSubscribe); err != nil {
		return err
	}
	l := s.current() // without one it is said when something of the job comes again
	j.mu.Lock()
	if !j.complete {
		s.jobs.leave(j.id, l)
	}
	j.mu.Unlock()
	j.lose(ErrUnsubscribed)
	if l != nil {
		s.unobserve(l, j.id)
	}
	return nil
}

// unobserve tells the runtime that a job is not followed any more. It has no answer.
func (s *Session) unobserve(l *link.Link, jobID string) {
	e := s.envelope(s.nextID(), &arcp.JobUnsubscribe{JobID: jobID})
	e.JobID = jobID
	_ = l.Offer(e) // a subscription too many harms nobody
}

func (s *Session) subscription(jobID string, from uint64, history bool) (*request, error) {
	if err := s.require(arcp.FeatureSubscribe); err != nil {
		return nil, err
	}
	e := s.envelope("", &arcp.JobSubscribe{JobID: jobID, FromEventSeq: from, History: history})
	e.JobID = jobID
	return s.newRequest(e, jobID)
}

func (r *request) jobOf() *Job {
	if r == nil {
		return nil
	}
	return r.job
}

// subscribed takes a job.subscribed, on the reader: the history comes behind it.
func (s *Session) subscribed(l *link.Link, p *arcp.JobSubscribed) {
	var r *request
	if p.RequestID != "" {
		r = s.take(p.RequestID)
	} else {
		r = s.takeAbout(arcp.TypeJobSubscribe, p.JobID)
	}
	id := strings.Clone(p.JobID)
	switch {
	case r == nil && s.jobs.get(id) == nil && !s.asking(id): // nobody waits any more
		s.jobs.leave(id, l)
		s.unobserve(l, id)
	case r == nil:
	case r.kind != arcp.TypeJobSubscribe:
		r.answer(nil, fmt.Errorf("%w: a job.subscribed for a %s", ErrProtocol, r.kind))
	case r.told != nil:
		r.reply = p
		r.answer(nil, nil)
	default:
		r.answer(s.follow(id, p), nil)
	}
}

func (s *Session) follow(id string, p *arcp.JobSubscribed) *Job {
	j := newJob(s, id, &arcp.JobAccepted{
		JobID: id, Agent: p.Agent, Lease: p.Lease, LeaseConstraints: p.LeaseConstraints, Budget: p.Budget, Credentials: p.Credentials,
		ParentJobID: p.ParentJobID, TraceID: p.TraceID,
	})
	j.observed = true
	o := order{last: p.SubscribedFrom, after: p.AfterEventSeq}
	ended := !p.Replayed && p.SubscribedFrom > 0 && isEnd(p.CurrentStatus)
	if ended { // nothing more happens, but its end can be had
		o.last--
		o.behind, o.asked = true, true
	}
	j.begin(o)
	if there := s.jobs.add(j); there != j {
		return there.claim(j.accepted)
	}
	if ended {
		go func() { _ = j.fetch(context.Background(), &j.order) }() // ends with the session at the latest
	}
	return j
}

func isEnd(s arcp.JobStatus) bool {
	switch s {
	case arcp.StatusSuccess, arcp.StatusError, arcp.StatusCancelled, arcp.StatusTimedOut:
		return true
	}
	return false
}

// mustAsk says whether the job's end is to be asked for, that it is now, and by the caller.
func (j *Job) mustAsk() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.over && j.idleLocked() && j.order.ask()
}

// fetch asks for what follows the last of o, one of the job's two, to be sent again. It was asked for it.
func (j *Job) fetch(ctx context.Context, o *order) error {
	s := j.session
	j.mu.Lock()
	from := o.last
	j.mu.Unlock()
	r, err := s.subscription(j.id, from, true)
	if err != nil { // the feature is gone
		j.fetched(o, nil, err)
		return nil
	}
	r.told = func() {
		p, _ := r.reply.(*arcp.JobSubscribed)
		j.fetched(o, p, r.err)
	}
	if err := s.post(ctx, r); err != nil {
		j.mu.Lock()
		o.asked = false
		j.mu.Unlock()
		return err
	}
	return nil
}

// fetched takes the answer to fetch. What is not to be had is told as shed.
func (j *Job) fetched(o *order, p *arcp.JobSubscribed, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case err == nil && (p.AfterEventSeq > 0 || j.order.seen == 0): // nothing has come yet that it could be taken for
		j.observed = true
		for _, x := range []*order{&j.order, &j.chunks.order} {
			if x == o || x.behind && x.last >= p.SubscribedFrom {
				x.goOn(p.AfterEventSeq)
			}
		}
	case err == nil:
		j.shed(o, errNoPlace)
	case errors.Is(err, ErrLinkLost), errors.Is(err, ErrSessionExpired), errors.Is(err, ErrTakenOver):
		o.asked = false
	default:
		j.shed(o, err)
	}
	j.queue.wake()
	j.chunks.wake()
}

// errNoPlace says that the runtime does not tell a replay from what else is under way.
var errNoPlace = errors.New("the runtime does not say where what was asked for begins")

// shed gives up what follows o, as far as the runtime does not have it.
func (j *Job) shed(o *order, err error) {
	if o == &j.chunks.order {
		j.chunks.fail(fmt.Errorf("%w: the result of job %s: %w", ErrEventsShed, j.id, err))
		return
	}
	if first := firstKept(err); first > o.last+1 { // the log has lost its head: the rest of it may be fetched
		j.missLocked(fmt.Errorf("%w: %d of job %s: %w", ErrEventsShed, first-1-o.last, j.id, err))
		o.take(first - 1)
		o.asked = false
		return
	}
	j.missLocked(fmt.Errorf("%w: of job %s: %w", ErrEventsShed, j.id, err))
	o.giveUp()
	j.complete = j.complete || j.over
}

// missLocked has Next told of what is missing behind all that was taken so far.
func (j *Job) missLocked(gap error) {
	if !j.owed {
		j.owed, j.short = true, j.order.last
	}
	j.gap = gap
}

// firstKept reads from a refusal where the job's log begins; 0 when it does not say.
func firstKept(err error) uint64 {
	var e *arcp.Error
	if !errors.As(err, &e) || e.Code != arcp.CodeResumeWindowExpired {
		return 0
	}
	var details struct {
		First uint64 `json:"first"`
	}
	if dynjson.Unmarshal(e.Details, &details) != nil {
		return 0
	}
	return details.First
}
