package link

import (
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// SetIdle ends the link, with ErrSilent, when neither end has said anything for so long. It is for a link without a heartbeat, instead of
// SetHeartbeat, and counts from now. While busy says so it goes on: the peer waits for something. Last makes the last words; it must not
// call the link.
func (l *Link) SetIdle(after time.Duration, busy func() bool, last func() *arcp.Envelope) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &l.pulse
	if after <= 0 || l.state != open || p.on.Load() {
		return
	}
	p.base = time.Now()
	p.on.Store(true)
	p.recv = time.AfterFunc(after, func() { l.idleDue(after, busy, last) })
}

func (l *Link) idleDue(after time.Duration, busy func() bool, last func() *arcp.Envelope) {
	waits := busy()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != open {
		return
	}
	p := &l.pulse
	rest := after - time.Duration(p.now()-max(p.lastSend.Load(), p.lastRecv.Load()))
	switch {
	case rest > 0:
	case waits || l.writing || p.handling.Load():
		rest = after
	default:
		l.silent(last)
		return
	}
	p.recv.Reset(rest)
}
