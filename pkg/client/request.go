package client

import (
	"context"
	"slices"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// request is a frame that waits for its answer.
type request struct {
	id    string
	kind  arcp.MessageType
	jobID string // of a cancel

	done chan struct{} // closed by answer
	job  *Job          // of an accepted submit
	err  error

	abandoned bool // nobody waits any more, but its slot is kept for peers that answer in order; guarded by Session.mu
}

// answer ends the wait. It is called once, by the one who took the request out of the session.
func (r *request) answer(j *Job, err error) {
	r.job, r.err = j, err
	close(r.done)
}

func (s *Session) newRequest(kind arcp.MessageType, jobID string) *request {
	return &request{id: s.nextID(), kind: kind, jobID: jobID, done: make(chan struct{})}
}

// expect registers a request before it is sent, and says whether there is anybody left to answer it.
func (s *Session) expect(r *request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.closing {
		return false
	}
	s.requests[r.id] = r
	if r.kind == arcp.TypeJobSubmit {
		s.submits = append(s.submits, r)
	}
	return true
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

// sendError says why nothing could be sent: an envelope that cannot be encoded, or the end of the link.
func (s *Session) sendError(ctx context.Context, err error) error {
	if s.link.Err() == nil {
		return err
	}
	return s.lost(ctx)
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

// takeCancel removes one unanswered cancel of a job, nil for none.
func (s *Session) takeCancel(jobID string) *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r.kind == arcp.TypeJobCancel && r.jobID == jobID {
			s.removeLocked(r)
			return r
		}
	}
	return nil
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

// forget removes a request that was never sent.
func (s *Session) forget(r *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removeLocked(r)
}

// wait waits for the answer. When ctx ends first the request is abandoned; an answer that came at the same moment wins.
func (s *Session) wait(ctx context.Context, r *request) (*Job, error) {
	select {
	case <-r.done:
		return r.job, r.err
	case <-ctx.Done():
	}
	s.mu.Lock()
	taken := s.requests[r.id] != r
	r.abandoned = !taken
	if r.abandoned && r.kind != arcp.TypeJobSubmit {
		s.removeLocked(r)
	}
	s.mu.Unlock()
	if taken {
		<-r.done // at once: who took it answers it
		return r.job, r.err
	}
	return nil, ctx.Err()
}
