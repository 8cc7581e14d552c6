package client

import (
	"context"
	"fmt"
	"slices"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
)

// request is a frame that waits for its answer.
type request struct {
	id    string
	kind  arcp.MessageType
	jobID string // of a cancel or a subscribe
	frame *arcp.Envelope
	safe  bool // asking twice asks once: it is sent again by the next link

	done  chan struct{} // closed by answer
	job   *Job          // of an accepted submit
	reply arcp.Payload  // of what is answered with more than a yes
	err   error
	told  func() // called by answer, if there is nobody to wait for done

	// Guarded by Session.mu.
	on        *link.Link // the last link it was given to; nil for none
	again     bool       // it was given to more than one
	abandoned bool       // nobody waits any more, but its slot is kept for peers that answer in order
}

// answer ends the wait. It is called once, by the one who took the request out of the session.
func (r *request) answer(j *Job, err error) {
	r.job, r.err = j, err
	close(r.done)
	if r.told != nil {
		r.told()
	}
}

// usualRequest is room for all but submits with a large input.
const usualRequest = 384

// newRequest makes a request of an envelope. The frame is encoded once: it is the same each time it is sent.
func (s *Session) newRequest(e *arcp.Envelope, jobID string) (*request, error) {
	if e.ID == "" {
		e.ID = s.nextID()
	}
	if err := e.Validate(); err != nil {
		return nil, err
	}
	frame, err := e.AppendJSON(make([]byte, 0, usualRequest))
	if err != nil {
		return nil, err
	}
	kind := e.Payload.MessageType()
	return &request{
		id: e.ID, kind: kind, jobID: jobID, safe: true, done: make(chan struct{}),
		frame: &arcp.Envelope{Payload: &arcp.UnknownMessage{Type: kind, Frame: frame}},
	}, nil
}

// ask sends a request and waits for its answer. ctx bounds both.
func (s *Session) ask(ctx context.Context, r *request) error {
	if err := s.post(ctx, r); err != nil {
		return err
	}
	return s.wait(ctx, r)
}

// post registers a request and gives it to the link. Both is one step, so that submits stand in s.submits in the order of the wire. It may
// have to wait for a peer that reads slowly. Without a link it leaves the request to the next one.
func (s *Session) post(ctx context.Context, r *request) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ended:
		return s.err
	}
	defer func() { <-s.turn }()
	l, ok := s.expect(r)
	switch {
	case !ok:
		return s.lost(ctx)
	case l == nil:
		return nil
	}
	err := l.SendWait(ctx, r.frame)
	if err == nil || l.Err() != nil { // a lost link leaves it to the next
		return nil
	}
	if s.forget(r) {
		return err
	}
	return nil
}

// expect registers a request, and gives the link to send it on, if there is one. It says whether there is anybody left to answer.
func (s *Session) expect(r *request) (*link.Link, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.closing {
		return nil, false
	}
	s.requests[r.id] = r
	if r.kind == arcp.TypeJobSubmit {
		s.submits = append(s.submits, r)
	}
	r.on = s.link
	return s.link, true
}

// connected makes l the link of the session, and sends again what waits for an answer.
func (s *Session) connected(l *link.Link) {
	s.mu.Lock()
	s.link = l
	var again []*request
	for _, r := range slices.Clone(s.submits) {
		if r.abandoned {
			s.removeLocked(r)
			continue
		}
		again = append(again, r)
	}
	for _, r := range s.requests {
		if r.kind != arcp.TypeJobSubmit {
			again = append(again, r)
		}
	}
	for _, r := range again {
		r.again = r.again || r.on != nil
		r.on = l
	}
	s.mu.Unlock()
	if len(again) > 0 {
		s.resends.Go(func() { s.resend(l, again) })
	}
	s.touch()
}

// resend gives requests to a link, on a goroutine of its own, for the reader must not wait for room.
func (s *Session) resend(l *link.Link, requests []*request) {
	select {
	case s.turn <- struct{}{}:
	case <-l.Done():
		return
	}
	defer func() { <-s.turn }()
	for _, r := range requests {
		if s.pending(r) && l.SendWait(context.Background(), r.frame) != nil {
			return // the link has ended: the next one sends them
		}
	}
}

// disconnected leaves the session without a link. What must not be asked twice has no answer any more.
func (s *Session) disconnected(l *link.Link, cause error) {
	var lost []*request
	s.mu.Lock()
	if s.link == l {
		s.link = nil
	}
	for _, r := range s.requests {
		if r.on == l && (!r.safe || r.abandoned) {
			lost = append(lost, r)
		}
	}
	for _, r := range lost {
		s.removeLocked(r)
	}
	s.mu.Unlock()
	for _, r := range lost {
		r.answer(nil, fmt.Errorf("%w: %w", ErrLinkLost, cause))
	}
}

// uses says whether l is the session's open link.
func (s *Session) uses(l *link.Link) bool { return s.current() == l }

// current is the open link, nil for none.
func (s *Session) current() *link.Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}

// lost waits for the end of a session that is ending, and returns its error.
func (s *Session) lost(ctx context.Context) error {
	select {
	case <-s.ended:
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take removes the request with that id, nil for none.
func (s *Session) take(id string) *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests[id]
	s.removeLocked(r)
	return r
}

// takeFirst removes the oldest unanswered submit, nil for none: what an answer that names no request is for.
func (s *Session) takeFirst() *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.submits) == 0 {
		return nil
	}
	r := s.submits[0]
	s.removeLocked(r)
	return r
}

// takeAbout removes one unanswered request about a job, nil for none.
func (s *Session) takeAbout(kind arcp.MessageType, jobID string) *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r.kind == kind && r.jobID == jobID {
			s.removeLocked(r)
			return r
		}
	}
	return nil
}

// asking says whether a subscription to a job is under way: what ends an older one would end it, too.
func (s *Session) asking(jobID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r.kind == arcp.TypeJobSubscribe && r.jobID == jobID && !r.abandoned {
			return true
		}
	}
	return false
}

func (s *Session) removeLocked(r *request) {
	if r == nil {
		return
	}
	delete(s.requests, r.id)
	if r.kind == arcp.TypeJobSubmit {
		if i := slices.Index(s.submits, r); i >= 0 {
			s.submits = slices.Delete(s.submits, i, i+1)
		}
	}
}

// pending says whether a request is still unanswered.
func (s *Session) pending(r *request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[r.id] == r
}

// forget removes a request that was not sent, unless it was answered all the same.
func (s *Session) forget(r *request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests[r.id] != r {
		return false
	}
	s.removeLocked(r)
	return true
}

// wait waits for the answer. When ctx ends first the request is abandoned; an answer that came at the same moment wins.
func (s *Session) wait(ctx context.Context, r *request) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
	}
	s.mu.Lock()
	taken := s.requests[r.id] != r
	r.abandoned = !taken
	if r.abandoned && (r.kind != arcp.TypeJobSubmit || r.on == nil) {
		s.removeLocked(r)
	}
	s.mu.Unlock()
	if taken {
		<-r.done // at once: who took it answers it
		return r.err
	}
	return ctx.Err()
}
