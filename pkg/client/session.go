package client

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/transport"
)

// Session is an open session with a runtime. Its methods may be called from any goroutine.
type Session struct {
	o      Options
	link   *link.Link
	prefix string        // of the ids we make
	serial atomic.Uint64 // of the last of them

	// Written by the reader before welcomed is closed, constant afterwards.
	id       string
	welcome  *arcp.SessionWelcome
	log      *slog.Logger
	welcomed chan struct{}

	err   error // why the session ended; written before ended is closed
	ended chan struct{}

	turn chan struct{} // held by the one who submits, so that submits are queued in the order they are sent

	mu       sync.Mutex
	over     bool // no request will be answered any more
	closing  bool // session.close was sent
	requests map[string]*request
	submits  []*request // unanswered job.submits, in the order sent

	// The reader's own.
	open    bool // welcome came
	jobs    map[string]*Job
	lastSeq uint64
	report  error // the last frame, if it was an error that names no request
}

func newSession(conn transport.Conn, o Options) *Session {
	s := &Session{
		o: o, log: o.Logger, prefix: newPrefix(),
		welcomed: make(chan struct{}), ended: make(chan struct{}), turn: make(chan struct{}, 1),
		requests: make(map[string]*request), jobs: make(map[string]*Job),
	}
	s.link = link.New(conn, link.Options{
		OnBadFrame: func(err error) *arcp.Envelope {
			s.log.Warn("malformed frame ignored", "error", err)
			return nil
		},
		ControlBytes: arcp.LimitControlBytes,
		ReadAhead:    true,
	})
	return s
}

// newPrefix makes the ids of two sessions differ.
func newPrefix() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails, by its own contract
	return arcp.PrefixMessage + hex.EncodeToString(b[:]) + "_"
}

func (s *Session) nextID() string {
	return s.prefix + strconv.FormatUint(s.serial.Add(1), 10)
}

func (s *Session) envelope(id string, p arcp.Payload) *arcp.Envelope {
	return &arcp.Envelope{ID: id, SessionID: s.id, Payload: p}
}

// ID returns the session's id.
func (s *Session) ID() string { return s.id }

// Agents returns the agents the runtime offered in its welcome (§7.5). The slice is shared: read only.
func (s *Session) Agents() []arcp.AgentEntry { return s.welcome.Capabilities.Agents }

// Features returns what was agreed on (§6.2). The slice is shared: read only.
func (s *Session) Features() []arcp.Feature { return s.welcome.Capabilities.Features }

// Welcome returns the runtime's welcome. It is shared: read only.
func (s *Session) Welcome() *arcp.SessionWelcome { return s.welcome }

func (s *Session) has(f arcp.Feature) bool {
	return slices.Contains(s.welcome.Capabilities.Features, f)
}

// Done is closed when the session has ended and every request and job of it has its answer.
func (s *Session) Done() <-chan struct{} { return s.ended }

// Err returns why the session ended: ErrClosed after Close, otherwise ErrLinkLost with the cause. It is nil before Done is closed.
func (s *Session) Err() error {
	select {
	case <-s.ended:
		return s.err
	default:
		return nil
	}
}

// Close ends the session in good order: session.close, the runtime's answer, the end of the link (§6.7). Jobs run on at the runtime, but
// what waits for them here fails with ErrLinkLost. ctx bounds the wait for the answer; when it ends first the link is cut and ctx's
// error returned. Closing a session that has ended does nothing.
func (s *Session) Close(ctx context.Context) error {
	s.mu.Lock()
	first := !s.closing
	s.closing = true
	s.mu.Unlock()
	if first {
		if err := s.link.Send(s.envelope(s.nextID(), &arcp.SessionClose{})); err != nil {
			s.link.Close("closed by the client")
		}
	}
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
	}
	_ = s.link.Drain(ctx, "closed by the client")
	<-s.ended
	return ctx.Err()
}

// run is the reader: it lives as long as the link.
func (s *Session) run() {
	cause := s.link.Run(s.handle)
	s.mu.Lock()
	closing := s.closing
	s.mu.Unlock()
	s.err = s.reason(cause, closing)
	s.failAll(s.err)
	close(s.ended)
}

// reason says why the session ended, from why its link did.
func (s *Session) reason(cause error, closing bool) error {
	switch {
	case closing && s.report == nil:
		return fmt.Errorf("%w: %w", ErrLinkLost, ErrClosed)
	case !s.open && arcp.IsRemote(cause):
		return cause
	case s.report != nil:
		return fmt.Errorf("%w: %w", ErrLinkLost, s.report)
	}
	return fmt.Errorf("%w: %w", ErrLinkLost, cause)
}

// failAll answers everything that still waits.
func (s *Session) failAll(err error) {
	s.mu.Lock()
	s.over = true
	waiting := s.requests
	s.requests, s.submits = nil, nil
	s.mu.Unlock()
	for _, r := range waiting {
		r.answer(nil, err)
	}
	for _, j := range s.jobs {
		j.finish(nil, "", err)
	}
	s.jobs = nil
}
