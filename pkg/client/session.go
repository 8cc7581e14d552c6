package client

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/transport"
)

// Session is an open session with a runtime, over one link after another. Its methods may be called from any goroutine.
type Session struct {
	o      Options
	dialer transport.Dialer
	hello  *arcp.SessionHello
	prefix string             // of the ids we make
	serial atomic.Uint64      // of the last of them
	halt   context.CancelFunc // ends the dialling, and the link of the moment

	// Written by the reader before welcomed is closed, constant afterwards.
	id       string
	log      *slog.Logger
	welcomed chan struct{}
	welcome  atomic.Pointer[arcp.SessionWelcome] // the last one
	renewed  chan struct{}                       // has room for one; the reader sends and closes

	err   error // why the session ended; written before ended is closed
	ended chan struct{}

	turn    chan struct{}  // held by the one who sends requests, so that submits are queued in the order they are sent
	resends sync.WaitGroup // what sends again after a resume

	jobs    table
	acks    acks
	lastSeq atomic.Uint64 // of the last frame that was handled

	mu       sync.Mutex
	over     bool       // no request will be answered any more
	closing  bool       // Close was called
	link     *link.Link // the open one; nil between two
	requests map[string]*request
	submits  []*request // unanswered job.submits, in the order registered

	in reading
}

// reading is the reader's own: nobody else looks at it.
type reading struct {
	begun    bool // some welcome came
	open     bool // the welcome of this link came
	seq      uint64
	report   error // the last frame, if it was an error that names no request
	token    arcp.Secret
	previous arcp.Secret // the one before, until the runtime is known to have gone on with token
	job      *Job        // of the last event
	changes  uint64      // of the table when it was found there
	adopting bool        // the session was resumed from a State: what is not known may be a job of ours
}

func newSession(d transport.Dialer, o Options) *Session {
	s := &Session{
		hello: o.takeHello(), dialer: d, log: o.Logger, prefix: newPrefix(),
		welcomed: make(chan struct{}), ended: make(chan struct{}), turn: make(chan struct{}, 1),
		renewed: make(chan struct{}, 1), requests: make(map[string]*request),
	}
	s.o = o
	s.jobs.byID = make(map[string]*Job)
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

// Agents returns the agents the runtime offered in its last welcome (§7.5). The slice is shared: read only.
func (s *Session) Agents() []arcp.AgentEntry { return s.Welcome().Capabilities.Agents }

// Features returns what was agreed on (§6.2). The slice is shared: read only.
func (s *Session) Features() []arcp.Feature { return s.Welcome().Capabilities.Features }

// Welcome returns the runtime's last welcome: each link begins with one. It is shared: read only.
func (s *Session) Welcome() *arcp.SessionWelcome { return s.welcome.Load() }

func (s *Session) has(f arcp.Feature) bool { return slices.Contains(s.Features(), f) }

// require refuses what was not agreed on.
func (s *Session) require(f arcp.Feature) error {
	if s.has(f) {
		return nil
	}
	return arcp.NewError(arcp.CodeInvalidRequest, "needs the feature %q, which was not negotiated", string(f))
}

// Done is closed when the session has ended for good and every request and job of it has its answer.
func (s *Session) Done() <-chan struct{} { return s.ended }

// Renewed returns a channel that has a value when the session has been resumed since the last one was taken out, and that is closed with
// the session's end. With each link the runtime makes a new token: a State taken before is good only until that is used, so who keeps one
// takes it again:
//
//	for range session.Renewed() {
//		save(session.State())
//	}
//
// The channel is the same for all callers: one goroutine reads it. Nobody has to.
func (s *Session) Renewed() <-chan struct{} { return s.renewed }

// Err returns why the session ended: ErrClosed after Close, ErrSessionExpired, ErrTakenOver, otherwise ErrLinkLost with the cause. It
// is nil before Done is closed.
func (s *Session) Err() error {
	select {
	case <-s.ended:
		return s.err
	default:
		return nil
	}
}

// Close ends the session in good order: session.close, the runtime's answer, the end of the link (§6.7). Jobs run on at the runtime, but
// what waits for them here fails with ErrLinkLost; State, taken before or after, can bring them back. ctx bounds the wait for the
// answer; when it ends first the link is cut and ctx's error returned. While the session is between two links there is nobody to tell,
// and it ends at once. Closing a session that has ended does nothing.
func (s *Session) Close(ctx context.Context) error {
	s.mu.Lock()
	first := !s.closing
	s.closing = true
	l := s.link
	s.mu.Unlock()
	if first && s.acks.on.Load() {
		s.ack(0) // a runtime keeps a session of which it does not know that nothing is to come
	}
	if first && (l == nil || l.Send(s.envelope(s.nextID(), &arcp.SessionClose{})) != nil) {
		s.halt()
	}
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
	}
	s.halt()
	if l != nil {
		_ = l.Drain(ctx, closedHere)
	}
	<-s.ended
	return ctx.Err()
}

// closedHere is what transports are told.
const closedHere = "closed by the client"

func (s *Session) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// end answers everything that still waits, and ends the session.
func (s *Session) end(err error) {
	s.resends.Wait()
	s.err = err
	s.mu.Lock()
	s.over = true
	waiting := s.requests
	s.requests, s.submits = nil, nil
	s.mu.Unlock()
	for _, r := range waiting {
		r.answer(nil, err)
	}
	for _, j := range s.jobs.close() {
		j.lose(err)
	}
	close(s.renewed)
	close(s.ended)
}
