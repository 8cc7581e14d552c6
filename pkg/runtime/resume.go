package runtime

import (
	"context"
	"errors"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// claim is what a client presents to continue a session (§6.3).
type claim struct {
	session string // may be empty: the token finds it
	token   arcp.Secret
	last    uint64
}

// resumed is a session that a link took over.
type resumed struct {
	session *session
	token   arcp.Secret
	reader  *journal.Reader
	frames  [][]byte    // to send before anything else
	old     *connection // the link it had, or nil
}

// errResume is the one answer for an unknown session, a wrong token and a session of somebody else: they look alike.
func errResume() *arcp.Error {
	err := arcp.NewError(arcp.CodeResumeWindowExpired, "there is no such session to resume")
	err.Retryable = false
	return err
}

func errTooNew() *arcp.Error {
	return arcp.NewError(arcp.CodeInvalidRequest, "last_event_seq is above what the session was ever sent")
}

// resume gives a session to a new link. It changes nothing unless all is in order: owner, token, coverage.
func (rt *Runtime) resume(ctx context.Context, c *connection, who *Principal, cl *claim) (*resumed, *arcp.Error) {
	hash := arcp.HashToken(cl.token.Reveal())
	for range resumeTries {
		s := rt.find(cl.session, hash)
		if s == nil {
			var refusal *arcp.Error
			if s, refusal = rt.adoptFor(ctx, who, cl, hash); refusal != nil {
				return nil, refusal
			}
		}
		if s.principal != who.ID {
			return nil, errResume()
		}
		r, refusal := s.resume(c, cl, hash)
		if refusal == nil || !s.stale(ctx) {
			return r, refusal
		}
		s.away(nil)
	}
	return nil, errAway
}

// resumeTries is how often a session is fetched that other nodes fetch at the same time.
const resumeTries = 3

// errAway says that another node has taken the session meanwhile. It may be taken back.
var errAway = arcp.NewError(arcp.CodeInternalError, "the session cannot be resumed now")

// resume gives a session of this runtime to a new link.
func (s *session) resume(c *connection, cl *claim, hash arcp.TokenHash) (*resumed, *arcp.Error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner.gone.Load() || !s.presented(hash) {
		return nil, errResume()
	}
	switch s.view.Covers(cl.last) {
	case journal.TooNew:
		return nil, errTooNew()
	case journal.TooOld:
		return nil, errResume()
	}
	return s.takeOver(c, hash, cl.last)
}

func (rt *Runtime) find(id string, hash arcp.TokenHash) *session {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if id == "" {
		return rt.tokens[hash]
	}
	return rt.sessions[id]
}

// takeOver commits the new token before the old link loses the session. The token presented stays good until the client
// shows that it has the new one. The caller holds s.mu.
func (s *session) takeOver(c *connection, presented arcp.TokenHash, last uint64) (*resumed, *arcp.Error) {
	token := arcp.NewToken()
	before, beforePrevious, parked := s.current, s.previous, s.parked
	s.current, s.previous, s.parked = arcp.HashToken(token.Reveal()), &presented, time.Time{}
	head, err := s.snapshot()
	if err == nil {
		err = s.rt.seq.Save(s.view, head)
	}
	if err != nil {
		s.current, s.previous, s.parked = before, beforePrevious, parked
		if errors.Is(err, journal.ErrLost) {
			return nil, errAway
		}
		s.rt.storeError("session cannot be saved", err, "session", s.id)
		return nil, arcp.NewError(arcp.CodeInternalError, "the session cannot be resumed now")
	}
	reader, frames, covered := s.view.Resume(last)
	if covered != journal.Covered { // evicted since it was looked at
		s.current, s.previous, s.parked = before, beforePrevious, parked
		if head, err := s.snapshot(); err == nil {
			_ = s.rt.seq.Save(s.view, head) // the tokens in memory are those that count here
		}
		return nil, errResume()
	}
	s.rt.retoken(s, before, beforePrevious)
	if s.window != nil {
		s.window.Stop()
	}
	return &resumed{session: s, token: token, reader: reader, frames: frames, old: s.conn.Swap(c)}, nil
}

// retoken makes a session be found by its two tokens and by no other.
func (rt *Runtime) retoken(s *session, before arcp.TokenHash, beforePrevious *arcp.TokenHash) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	delete(rt.tokens, before)
	if beforePrevious != nil {
		delete(rt.tokens, *beforePrevious)
	}
	rt.tokens[s.current] = s
	rt.tokens[*s.previous] = s
}

// takenOver is the end of a link whose session went on over another (§6.3). It is told once, whoever finds out first.
func (c *connection) takenOver() {
	if c.taken.Swap(true) {
		return
	}
	lost := arcp.NewError(arcp.CodeHeartbeatLost, "another link has resumed the session")
	lost.Retryable = false
	last := sessionError(withDetail(lost, arcp.DetailReason, arcp.ReasonTakenOver), "", "")
	c.link.Finish(c.envelope("", "", last), "the session was taken over")
}
