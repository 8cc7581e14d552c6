// Package link runs one live connection for either end: it reads and decodes envelopes, writes what it is given in
// batches, watches the peer's pulse and ends cleanly.
//
// There are two lanes out. The control lane takes single envelopes, encoded at once and bounded; the bulk lane pulls
// frames from a Source when there is room. The control lane goes first. A link at rest is one goroutine, the reader; the
// writer lives only while there is something to write, and the reader never waits for it.
package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

// Causes of an end, as Err gives them. A clean end by the peer is io.EOF.
var (
	// ErrClosed is the end by Close or Drain.
	ErrClosed = errors.New("link closed")
	// ErrOverflow ends a link whose peer does not read the answers it asks for.
	ErrOverflow = errors.New("link: control lane overflow, the peer does not read")
	// ErrWriteTimeout ends a link whose peer took nothing for Options.WriteTimeout.
	ErrWriteTimeout = errors.New("link: write timed out")
	// ErrSilent ends a link whose peer was silent for arcp.LimitHeartbeatMisses heartbeat intervals (§6.4), and an idle one.
	ErrSilent = errors.New("link: heartbeat lost")
	// ErrBadFrames ends a link after too many unreadable frames in a row.
	ErrBadFrames = errors.New("link: too many malformed frames in a row")
)

// ErrFrameTooLarge is in the error of Send and SendWait for an envelope of more bytes than a frame may have; the link goes on.
var ErrFrameTooLarge = errors.New("link: frame too large")

// Options shapes a link. The zero value works: no bulk lane, no answer to a malformed frame.
type Options struct {
	// Source is the bulk lane; nil until SetSource.
	Source Source
	// OnBadFrame is told of a frame that is not an envelope, on the reading goroutine, and gives the answer to send, or
	// nil for none. The link goes on.
	OnBadFrame func(err error) *arcp.Envelope
	// OnBadEnvelope is told of a message that has an id and a type and a member of the wrong shape, on the reading goroutine.
	// It is no malformed frame: it does not count. An error ends the link as one of handle does. Nil: it is a malformed
	// frame.
	OnBadEnvelope func(e *arcp.Envelope, err error) error
	// MaxBadFrames malformed frames in a row end the link; 0 means arcp.LimitBadFrames.
	MaxBadFrames int
	// ReadSlab is the size, in bytes, of the largest block that inbound frames share; 0 means 16 KiB. A link begins with
	// a smaller one.
	ReadSlab int
	// ReadAhead reads on a second goroutine while handle works: a busy link then uses two processors, and an idle one costs
	// a goroutine more.
	ReadAhead bool
	// ControlBytes is how much the control lane holds, give or take a frame; 0 means arcp.LimitControlBytes.
	ControlBytes int
	// WriteTimeout bounds one batch; 0 means arcp.LimitWriteTimeoutSec.
	WriteTimeout time.Duration
	// DrainTimeout bounds what Close still writes; 0 means arcp.LimitDrainSec.
	DrainTimeout time.Duration
}

func (o Options) withDefaults() Options {
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	def(&o.MaxBadFrames, arcp.LimitBadFrames)
	def(&o.ReadSlab, 16<<10)
	def(&o.ControlBytes, arcp.LimitControlBytes)
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = arcp.LimitWriteTimeoutSec * time.Second
	}
	if o.DrainTimeout <= 0 {
		o.DrainTimeout = arcp.LimitDrainSec * time.Second
	}
	return o
}

// state only grows.
type state uint8

const (
	open     state = iota
	draining       // the control lane is written out, nothing else is sent or handled
	cut            // nothing is written any more
	ended          // the connection is closed, the writer is gone
)

// Link is one connection. Its methods may be called from any goroutine.
type Link struct {
	conn transport.Conn
	o    Options
	done chan struct{}

	ending    atomic.Bool     // state != open, for the reader
	readers   <-chan struct{} // closed when the goroutine that reads ahead is gone; set by Run
	closeConn sync.Once

	mu         sync.Mutex // guards what follows; never held over I/O
	state      state
	cause      error
	reason     string
	src        Source
	woken      bool    // the source may have frames
	writing    bool    // the writer goroutine exists
	lane       *frames // control frames the writer has not taken; nil when there are none
	last       bool    // the newest of the lane is the last frame there is
	room       chan struct{}
	settled    chan struct{} // closed when the writer rests or the link ends; nil when nobody waits
	writeTimer *time.Timer
	drainTimer *time.Timer
	pulse      pulse
}

// New makes a link over conn, which it owns from then on. Nothing is read before Run; Send works at once. A link that
// is not needed any more must be closed, or Run must have returned.
func New(conn transport.Conn, o Options) *Link {
	return &Link{conn: conn, o: o.withDefaults(), src: o.Source, done: make(chan struct{})}
}

// Peer describes the other end.
func (l *Link) Peer() transport.Peer { return l.conn.Peer() }

// Done is closed when the connection is closed and the writer is gone.
func (l *Link) Done() <-chan struct{} { return l.done }

// Err says why the link ended: the first cause, io.EOF for a clean end by the peer. It is nil while the link lives.
func (l *Link) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

// Send encodes e now and puts it into the control lane. It never blocks: a lane that is full ends the link with
// ErrOverflow. What is sent before an entry becomes visible to the Source is written before that entry. It fails with
// ErrClosed once the link is ending, with the codec's error for an envelope that cannot be encoded, and with
// ErrFrameTooLarge for one above arcp.LimitFrameOut, which peers need not read (§4).
func (l *Link) Send(e *arcp.Envelope) error {
	l.mu.Lock()
	if l.state == open && l.fullLocked() {
		l.mu.Unlock()
		l.end(ErrOverflow, "too much unread", cut)
		return ErrOverflow
	}
	defer l.mu.Unlock()
	return l.sendLocked(e)
}

// Offer is Send for what may as well be left out: a lane that is full refuses it with ErrOverflow, and the link goes on.
func (l *Link) Offer(e *arcp.Envelope) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == open && l.fullLocked() {
		return ErrOverflow
	}
	return l.sendLocked(e)
}

// SendWait is Send for one who may wait: it waits for room in the lane, or for ctx.
func (l *Link) SendWait(ctx context.Context, e *arcp.Envelope) error {
	for {
		l.mu.Lock()
		if l.state != open || !l.fullLocked() {
			defer l.mu.Unlock()
			return l.sendLocked(e)
		}
		if l.room == nil {
			l.room = make(chan struct{})
		}
		room := l.room
		l.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *Link) sendLocked(e *arcp.Envelope) error {
	if l.state != open {
		return l.closedLocked()
	}
	lane := l.lane
	if lane == nil {
		lane = lanes.Get().(*frames)
	}
	buf, err := e.AppendJSON(lane.buf)
	if size := len(buf) - len(lane.buf); err == nil && size > arcp.LimitFrameOut {
		err = fmt.Errorf("%w: a %s of %d bytes, where %d are allowed", ErrFrameTooLarge, e.Payload.MessageType(), size, arcp.LimitFrameOut)
	}
	if err != nil {
		if l.lane == nil {
			lanes.Put(lane)
		}
		return err
	}
	lane.end(buf)
	l.lane = lane
	l.startLocked()
	return nil
}

func (l *Link) fullLocked() bool { return l.lane != nil && len(l.lane.buf) >= l.o.ControlBytes }

// closedLocked is the error of one who comes too late.
func (l *Link) closedLocked() error {
	if l.cause == nil || errors.Is(l.cause, ErrClosed) {
		return ErrClosed
	}
	return fmt.Errorf("%w: %w", ErrClosed, l.cause)
}

// SetSource sets the bulk lane, in place of any before, and wakes it.
func (l *Link) SetSource(s Source) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.src = s
	l.wakeLocked()
}

// Wake says that the source has frames. It costs a lock when the writer is at work already.
func (l *Link) Wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wakeLocked()
}

func (l *Link) wakeLocked() {
	if l.src == nil || l.state != open {
		return
	}
	l.woken = true
	l.startLocked()
}

// Close ends the link: what the control lane holds is still written, within Options.DrainTimeout, then the connection is
// closed with reason. It does not wait; Done does. Only the first reason counts.
func (l *Link) Close(reason string) { l.end(ErrClosed, reason, draining) }

// Finish is Send of the last frame there is, and Close: nothing of either lane is written behind it.
func (l *Link) Finish(e *arcp.Envelope, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sendLocked(e) == nil { // a link that ends already needs no last words
		l.last = true
	}
	l.endLocked(ErrClosed, reason, draining)
}

// Drain is Close that waits for the end. When ctx ends first the connection is cut, and ctx's error returned.
func (l *Link) Drain(ctx context.Context, reason string) error {
	l.Close(reason)
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		l.end(ErrClosed, reason, cut)
		return ctx.Err()
	}
}

// end moves the link to draining or cut. The writer does the rest.
func (l *Link) end(cause error, reason string, to state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endLocked(cause, reason, to)
}

func (l *Link) endLocked(cause error, reason string, to state) {
	if l.state >= to {
		return
	}
	if l.state == open {
		l.cause, l.reason = cause, reason
		l.ending.Store(true)
		l.pulse.stop()
		l.freeRoomLocked()
	}
	l.state = to
	switch {
	case to == draining:
		l.drainTimer = time.AfterFunc(l.o.DrainTimeout, func() { l.end(cause, reason, cut) })
	case l.writing:
		go l.hangUp() // the writer may be waiting for the peer
	}
	l.startLocked()
}

// hangUp closes the connection once; every caller returns when it is closed.
func (l *Link) hangUp() {
	l.closeConn.Do(func() {
		l.mu.Lock()
		reason := l.reason
		l.mu.Unlock()
		_ = l.conn.Close(reason) // the cause of the end is known already
	})
}

// Settle waits until all that both lanes hold is written, or the link has ended, or ctx has.
func (l *Link) Settle(ctx context.Context) error {
	l.mu.Lock()
	if !l.writing || l.state != open {
		l.mu.Unlock()
		return nil
	}
	if l.settled == nil {
		l.settled = make(chan struct{})
	}
	settled := l.settled
	l.mu.Unlock()
	select {
	case <-settled:
		return nil
	case <-l.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Link) settleLocked() {
	if l.settled != nil {
		close(l.settled)
		l.settled = nil
	}
}

func (l *Link) freeRoomLocked() {
	if l.room != nil {
		close(l.room)
		l.room = nil
	}
}

// Run reads until the link ends, on the caller's goroutine, and calls handle with each envelope. It returns when the
// connection is closed and the writer is gone, with what Err gives.
//
// The envelope and its payload are reused for the next frame. The strings in it stay valid for ever, for they alias a
// block that is never written again; who keeps one for long clones it, or it keeps the block. An error of handle ends
// the link after the control lane is written out. After Close, handle is not called again.
func (l *Link) Run(handle func(*arcp.Envelope) error) error {
	err := l.read(handle)
	var re *readError
	switch {
	case errors.As(err, &re) && errors.Is(re.err, io.EOF):
		l.end(io.EOF, "peer ended", draining)
	case re != nil:
		l.end(re.err, "read failed", cut)
	case errors.Is(err, ErrBadFrames):
		l.end(err, "too many malformed frames", draining)
	default:
		l.end(err, "", draining)
	}
	<-l.done
	if l.readers != nil {
		<-l.readers
	}
	return l.Err()
}
