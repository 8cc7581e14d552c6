package runtime

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// session is a client's identity and its numbered view of jobs. It outlives its links: without one it is parked, and ends
// when its resume window is over.
type session struct {
	rt        *Runtime
	id        string
	principal string
	features  []arcp.Feature
	view      *journal.View

	slot  slot   // one of its principal's sessions
	owner *owner // what its jobs keep of it
	conn  atomic.Pointer[connection]

	// turn puts what attaches jobs and answers for it, and what gives the session to another link, in one order.
	turn sync.Mutex

	mu       sync.Mutex
	current  arcp.TokenHash  // of the token in the last welcome
	previous *arcp.TokenHash // of the one it was presented for, until the new one is known to have arrived
	window   *time.Timer
	waits    uint64                   // how often it has been parked
	parked   time.Time                // when it lost its link; zero while it has one
	unattend context.CancelFunc       // ends the reading of its inbox; nil in a runtime that is not shared
	observed map[string]*subscription // to unfinished jobs, by their ids
	left     bool                     // another node has it
	dropped  bool                     // nothing may be observed any more
	adopted  map[string]*job          // taken as its own by an idempotency key, by id
}

// owner is what a job keeps of the session that submitted it, which may be gone long before the job is forgotten.
type owner struct {
	id         string
	unfinished atomic.Int64 // jobs it submitted that have not ended
	ending     atomic.Int64 // of those that have, how many ends are just being written
	gone       atomic.Bool  // ended: nobody can resume it
}

// kept is what the store keeps of a session beside its view.
type kept struct {
	Principal string           `json:"principal"`
	Features  []arcp.Feature   `json:"features"`
	Tokens    []arcp.TokenHash `json:"tokens"`
	Adopted   []string         `json:"adopted,omitempty"`
	Parked    *time.Time       `json:"parked,omitempty"` // when it lost its link; nil while it has one
}

func (s *session) snapshot() ([]byte, error) {
	k := kept{Principal: s.principal, Features: s.features, Tokens: []arcp.TokenHash{s.current}}
	if s.previous != nil {
		k.Tokens = append(k.Tokens, *s.previous)
	}
	k.Adopted = slices.Sorted(maps.Keys(s.adopted))
	if !s.parked.IsZero() {
		k.Parked = &s.parked
	}
	return dynjson.Marshal(&k)
}

// open makes a session with its first token.
func (rt *Runtime) open(who *Principal, features []arcp.Feature) (*session, arcp.Secret, error) {
	token := arcp.NewToken()
	if rt.full() {
		return nil, token, overLimit(arcp.CodeRateLimited, limitSessions, rt.opts.Limits.Sessions)
	}
	s := &session{
		rt: rt, id: arcp.NewID(arcp.PrefixSession), principal: who.ID, features: features,
		current: arcp.HashToken(token.Reveal()), observed: map[string]*subscription{}, adopted: map[string]*job{},
	}
	s.owner = &owner{id: s.id}
	head, err := s.snapshot()
	if err != nil {
		return nil, token, err
	}
	if refusal := rt.quotas.take(&s.slot, who.ID, ofSessions); refusal != nil {
		return nil, token, refusal
	}
	if s.view, err = rt.seq.OpenView(rt.node.ID(), s.id, journal.GatesOf(features), head); err != nil {
		s.rt.quotas.release(&s.slot)
		return nil, token, err
	}
	rt.admitSession(s)
	return s, token, nil
}

// full says whether there are as many sessions as there may be.
func (rt *Runtime) full() bool {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return int64(len(rt.sessions)) >= rt.opts.Limits.Sessions
}

// admitSession makes a session be found.
func (rt *Runtime) admitSession(s *session) {
	rt.quotas.force(&s.slot, s.principal, ofSessions)
	rt.mu.Lock()
	rt.sessions[s.id] = s
	rt.tokens[s.current] = s
	if s.previous != nil {
		rt.tokens[*s.previous] = s
	}
	rt.mu.Unlock()
	s.attend()
}

func (s *session) has(f arcp.Feature) bool { return slices.Contains(s.features, f) }

// presented says whether a token is one that resumes the session. Both are compared, so that the time tells nothing.
func (s *session) presented(h arcp.TokenHash) bool {
	ok := s.current.Equal(h)
	if s.previous != nil && s.previous.Equal(h) {
		ok = true
	}
	return ok
}

// arrived says that the client has used its newest token: the one before is worth nothing any more. It is false, and nothing
// has changed, when another link has the session by now: the token in question is not the newest.
func (s *session) arrived(c *connection) bool {
	s.mu.Lock()
	if s.conn.Load() != c {
		s.mu.Unlock()
		return false
	}
	old := s.previous
	s.previous = nil
	s.mu.Unlock()
	if old != nil {
		s.rt.mu.Lock()
		delete(s.rt.tokens, *old)
		s.rt.mu.Unlock()
	}
	return true
}

// leave frees a session at once whose client says goodbye with nothing left to come (§6.7).
func (s *session) leave(c *connection) {
	if s.owner.unfinished.Load() > 0 || s.owner.ending.Load() > 0 {
		return
	}
	s.rt.seq.Tail(s.view) // an end that is written and not committed yet is still to come
	if s.view.Idle() && s.conn.CompareAndSwap(c, nil) {
		c.reader.Close()
		s.expire()
	}
}

// park leaves the session without a link, unless another link has taken it over.
func (s *session) park(c *connection) {
	s.mu.Lock()
	if !s.conn.CompareAndSwap(c, nil) {
		s.mu.Unlock()
		return
	}
	c.reader.Close()
	if s.rt.opts.Limits.ResumeWindow > 0 {
		s.wait(time.Now())
		s.noteParked()
		s.mu.Unlock()
		s.rt.opts.Logger.Info("session parked", "session", s.id)
		return
	}
	s.mu.Unlock()
	s.expire()
}

// wait lets the resume window run from the moment the session lost its link. The caller holds s.mu.
func (s *session) wait(since time.Time) {
	s.parked = since.UTC()
	s.waits++
	wait := s.waits
	s.window = time.AfterFunc(s.remains(since), func() { s.end(wait) })
}

// remains is what is left of the resume window of a session that lost its link at a moment.
func (s *session) remains(since time.Time) time.Duration {
	return remaining(since, max(s.rt.opts.Limits.ResumeWindow, 0), time.Now())
}

// noteParked tells the store since when the session waits, so that its window is the same after a restart. The caller holds s.mu.
func (s *session) noteParked() {
	if !s.rt.lasting {
		return
	}
	head, err := s.snapshot()
	if err == nil {
		err = s.rt.seq.Save(s.view, head)
	}
	if err != nil && !errors.Is(err, journal.ErrLost) {
		s.rt.storeError("session cannot be saved", err, "session", s.id)
	}
}

// expire ends a parked session. Its jobs run on.
func (s *session) expire() { s.end(0) }

// end is expire unless the session has waited anew since: a timer may come too late to be stopped. A wait of 0 is any.
func (s *session) end(wait uint64) {
	s.mu.Lock()
	if s.conn.Load() != nil || s.left || wait > 0 && wait != s.waits || s.owner.gone.Swap(true) {
		s.mu.Unlock()
		return
	}
	if s.window != nil {
		s.window.Stop()
	}
	s.mu.Unlock()
	s.rt.drop(s)
	s.rt.count.closed.Add(1)
	s.rt.audit(&trail{action: auditExpire, principal: s.principal, session: s.id})
	if s.unattend != nil {
		s.unattend()
	}
	err := s.rt.seq.CloseView(s.view)
	if errors.Is(err, journal.ErrLost) {
		s.owner.gone.Store(false) // it goes on at another node
		return
	}
	if err != nil {
		s.rt.storeError("view cannot be removed", err, "session", s.id)
	}
	s.rt.opts.Logger.Info("session ended", "session", s.id)
}

func (rt *Runtime) drop(s *session) {
	s.letGo()
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.sessions[s.id] == s {
		delete(rt.sessions, s.id)
	}
	for _, h := range []*arcp.TokenHash{&s.current, s.previous} {
		if h != nil && rt.tokens[*h] == s {
			delete(rt.tokens, *h)
		}
	}
}
