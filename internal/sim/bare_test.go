package sim

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// bare is a client that speaks the protocol by hand, so as to do what a good client never would.
type bare struct {
	w         *world
	name      string
	principal string
	r         *rand.Rand
	roads     *rand.Rand // which node it dials
	features  []arcp.Feature
	serial    int
	line      *line // the newest link
	careless  bool  // it said goodbye, or that it has more than it has, or less: its session may be gone
	// A resume over a link that it gave up may be served after the one that followed. Then three tokens are known, and two are good (A8).
	unanswered bool

	mu     sync.Mutex
	on     *line // the link that was welcomed last: what comes late over another one is not taken
	id     string
	token  string
	last   uint64          // the newest event received
	mine   map[string]bool // jobs accepted for the session; true once nothing more is owed of them
	cursor string          // of the last page
	told   map[string]bool // ids of acceptances; one that is sent again on a resume is none
	heard  time.Time       // when the runtime last said anything, so that the session surely had a link
}

// line is one link of a bare client.
type line struct {
	conn     transport.Conn
	out      chan []byte // frames to write; who writes never waits for the link
	welcomed chan struct{}
	ended    chan struct{}
	refused  *arcp.SessionError // the answer to a handshake that failed; read after ended
	slow     atomic.Int64       // how long it takes to digest a frame, in nanoseconds
	mute     atomic.Bool        // answers no ping
}

func newBare(w *world, actor uint64, principal string) *bare {
	b := &bare{w: w, name: fmt.Sprint("c", actor), principal: principal, r: w.rng(actor), roads: w.rng(actor + 2_000_000)}
	b.forget()
	return b
}

// forget makes the next link open a new session.
func (b *bare) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.on, b.id, b.token, b.last, b.mine, b.cursor = nil, "", "", 0, map[string]bool{}, ""
	b.told = map[string]bool{}
	b.features, b.careless, b.unanswered = nil, false, false
	for _, f := range arcp.Features() {
		if f == arcp.FeatureSubscribe || f == arcp.FeatureAgentVersions || b.r.IntN(6) > 0 {
			b.features = append(b.features, f)
		}
	}
}

func (b *bare) nextID() string {
	b.serial++
	return fmt.Sprintf("%s_%d", b.name, b.serial)
}

// dial opens a link and says hello, or continues the session from the event given.
func (b *bare) dial(plan faulty.Plan, resume *arcp.Resume) *line {
	return b.dialAt(b.w.node(b.roads.IntN(6)), plan, resume)
}

func (b *bare) dialAt(n *node, plan faulty.Plan, resume *arcp.Resume) *line {
	near := faulty.Plan{}
	if b.r.IntN(3) == 0 {
		near, plan = plan, near
	}
	conn := faulty.New(b.w.dialAt(n, plan, pick(b.r, 4<<10, 256<<10)), near)
	l := &line{
		conn: b.w.clients.Conn(conn, arcp.FromClient), out: make(chan []byte, 1000), welcomed: make(chan struct{}), ended: make(chan struct{}),
	}
	l.slow.Store(int64(pick(b.r, 0, 0, 0, time.Millisecond, 200*time.Millisecond)))
	l.mute.Store(b.r.IntN(10) == 0)
	go b.read(l)
	go l.writer()
	hello := &arcp.SessionHello{
		Client: arcp.Software{Name: b.name}, Auth: arcp.Auth{Token: arcp.MakeSecret(tokenOf(b.principal))},
		Capabilities: &arcp.ClientCapabilities{Features: b.features}, Resume: resume,
	}
	if resume != nil && resume.SessionID != "" && b.r.IntN(4) == 0 {
		l.write(&arcp.Envelope{ID: b.nextID(), SessionID: resume.SessionID, Payload: &arcp.SessionResume{
			Auth: hello.Auth, ResumeToken: resume.ResumeToken, LastEventSeq: resume.LastEventSeq,
		}})
		return l
	}
	l.write(&arcp.Envelope{ID: b.nextID(), Payload: hello})
	return l
}

func (l *line) write(e *arcp.Envelope) {
	frame, err := e.AppendJSON(nil)
	if err != nil {
		panic(err) // the simulation writes only what can be written
	}
	l.raw(frame)
}

func (l *line) raw(frame []byte) {
	select {
	case l.out <- frame:
	default: // the link is frozen
	}
}

// patient makes the link that of a good reader.
func (l *line) patient() {
	l.slow.Store(0)
	l.mute.Store(false)
}

func (l *line) writer() {
	for {
		select {
		case frame := <-l.out:
			if l.conn.Write(frame) != nil || l.conn.Flush() != nil {
				_ = l.conn.Close("write failed")
				return
			}
		case <-l.ended:
			return
		}
	}
}

// open says within a minute whether the link has been welcomed.
func (l *line) open() bool {
	t := time.NewTimer(time.Minute)
	defer t.Stop()
	select {
	case <-l.welcomed:
		return true
	case <-l.ended:
	case <-t.C:
	}
	select {
	case <-l.welcomed:
		return true
	default:
		l.close()
		return false
	}
}

func (l *line) isOpen() bool {
	select {
	case <-l.welcomed:
		return true
	default:
		return false
	}
}

// close cuts the link and waits for its reader.
func (l *line) close() {
	_ = l.conn.Close("cut")
	<-l.ended
}

// read is the reader of a link.
func (b *bare) read(l *line) {
	defer close(l.ended)
	for {
		frame, err := l.conn.Read(nil)
		if err != nil {
			_ = l.conn.Close("read failed")
			return
		}
		e, err := arcp.Decode(frame)
		if err != nil {
			continue // which the checker reports
		}
		b.take(l, e)
		if nap := l.slow.Load(); nap > 0 {
			time.Sleep(time.Duration(nap))
		}
	}
}

func (b *bare) take(l *line, e *arcp.Envelope) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, welcome := e.Payload.(*arcp.SessionWelcome); !welcome && l.isOpen() && l != b.on {
		return // a late frame of a link or a session that was given up
	}
	b.heard = time.Now()
	if e.EventSeq == b.last+1 {
		b.last = e.EventSeq
	}
	switch p := e.Payload.(type) {
	case *arcp.SessionWelcome:
		b.on, b.id, b.token = l, e.SessionID, p.ResumeToken.Reveal()
		b.w.mu.Lock()
		b.w.claims = append(b.w.claims, claim{b.id, b.token})
		b.w.mu.Unlock()
		close(l.welcomed)
	case *arcp.SessionError:
		if p.RequestID != "" {
			l.refused = p
		}
	case *arcp.SessionPing:
		if !l.mute.Load() {
			l.write(&arcp.Envelope{ID: "pong_" + p.Nonce, SessionID: b.id, Payload: &arcp.SessionPong{PingNonce: p.Nonce, ReceivedAt: time.Now()}})
		}
	case *arcp.JobAccepted:
		b.w.know(p.JobID)
		if !b.told[e.ID] { // whatever the session has had of the job, it gets its end behind this
			b.told[e.ID], b.mine[p.JobID] = true, false
		}
	case *arcp.JobResult, *arcp.JobError:
		b.mine[e.JobID] = true
	case *arcp.SessionJobs:
		b.cursor = p.NextCursor
	}
}
