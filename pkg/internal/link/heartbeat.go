package link

import (
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Heartbeat watches both directions of a link (§6.4).
type Heartbeat struct {
	// Interval is the negotiated interval. Nothing sent for one means a ping, and so does nothing received: who streams to
	// a peer that only listens must ask it. Nothing received for
	// arcp.LimitHeartbeatMisses of them means the end, with ErrSilent. 0 turns the watch off.
	Interval time.Duration
	// Ping makes the ping to send. Nil: this end leaves pinging to the other and only listens.
	Ping func() *arcp.Envelope
	// Lost makes the last words to a peer that went silent, or is nil. It must not call the link.
	Lost func() *arcp.Envelope
}

// pulse keeps when something was last sent and received. Each timer knows its own direction only: what comes in never
// postpones a ping, and what goes out never hides a dead peer.
type pulse struct {
	on       atomic.Bool
	handling atomic.Bool  // the reader is at work: silence is ours, not the peer's
	lastSend atomic.Int64 // nanoseconds since base
	lastRecv atomic.Int64
	lastPing atomic.Int64

	base time.Time // set once, before on
	send *time.Timer
	recv *time.Timer
}

func (p *pulse) now() int64 { return int64(time.Since(p.base)) }

func (p *pulse) sent() {
	if p.on.Load() {
		p.lastSend.Store(p.now())
	}
}

func (p *pulse) received() {
	if p.on.Load() {
		p.lastRecv.Store(p.now())
		p.handling.Store(true)
	}
}

// waiting says that the reader goes back to the connection.
func (p *pulse) waiting() {
	if p.on.Load() {
		p.handling.Store(false)
	}
}

func (p *pulse) stop() {
	for _, t := range []*time.Timer{p.send, p.recv} {
		if t != nil {
			t.Stop()
		}
	}
}

// SetHeartbeat starts the watch, once, when the handshake has agreed on it. Both directions count from now.
func (l *Link) SetHeartbeat(h Heartbeat) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &l.pulse
	if h.Interval <= 0 || l.state != open || p.on.Load() {
		return
	}
	p.base = time.Now()
	p.on.Store(true)
	if h.Ping != nil {
		p.send = time.AfterFunc(h.Interval, func() { l.sendDue(h) })
	}
	p.lastPing.Store(-int64(h.Interval))
	p.recv = time.AfterFunc(h.Interval, func() { l.recvDue(h) })
}

// sendDue pings when nothing was sent for an interval, and sleeps for the rest of it otherwise.
func (l *Link) sendDue(h Heartbeat) {
	l.mu.Lock()
	if l.state != open {
		l.mu.Unlock()
		return
	}
	rest := h.Interval - time.Duration(l.pulse.now()-l.pulse.lastSend.Load())
	ping := rest <= 0 && !l.writing
	if rest <= 0 {
		rest = h.Interval
	}
	l.pulse.send.Reset(rest)
	l.mu.Unlock()
	if ping {
		l.ping(h)
	}
}

// ping sends one, unless one was sent within the interval. A link that ended meanwhile needs none.
func (l *Link) ping(h Heartbeat) {
	p := &l.pulse
	last, now := p.lastPing.Load(), p.now()
	if now-last >= int64(h.Interval) && p.lastPing.CompareAndSwap(last, now) {
		_ = l.Send(h.Ping())
	}
}

// recvDue pings when nothing was received for an interval, and ends the link when nothing was for as many as may be missed.
func (l *Link) recvDue(h Heartbeat) {
	l.mu.Lock()
	if l.state != open {
		l.mu.Unlock()
		return
	}
	rest := h.Interval - time.Duration(l.pulse.now()-l.pulse.lastRecv.Load())
	silent := rest <= 0
	if silent {
		rest += (arcp.LimitHeartbeatMisses - 1) * h.Interval
	}
	if rest <= 0 && l.pulse.handling.Load() {
		rest = h.Interval
	}
	if rest <= 0 {
		l.silent(h.Lost)
		l.mu.Unlock()
		return
	}
	l.pulse.recv.Reset(rest)
	l.mu.Unlock()
	if silent && h.Ping != nil {
		l.ping(h)
	}
}

// silent ends the link of a peer that was not heard for too long. The caller holds l.mu.
func (l *Link) silent(last func() *arcp.Envelope) {
	if last != nil {
		_ = l.sendLocked(last()) // the link ends either way
	}
	l.endLocked(ErrSilent, "nothing was heard", draining)
}
