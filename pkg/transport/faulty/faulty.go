// Package faulty makes a connection misbehave at a chosen frame, so that a test can go through all of them: for every n,
// lose the connection at frame n and still deliver everything once.
package faulty

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/transport"
)

// ErrCut is what the cut end returns from then on. The other end sees what its transport makes of a closed connection.
var ErrCut = errors.New("faulty: connection cut")

// Plan says what goes wrong and when. Frames are counted from 1, each direction by itself; 0 means never.
type Plan struct {
	// CutRead loses the connection in place of giving the nth inbound frame: it was sent, and nobody saw it.
	CutRead int
	// CutWrite loses the connection in place of the nth outbound frame; those before it are flushed.
	CutWrite int
	// CutAfterWrite loses the connection behind the nth outbound frame, which arrives, before Write returns: the writer
	// learns nothing of its success.
	CutAfterWrite int
	// FreezeRead gives no frame from the nth on, until Close: a peer that went silent.
	FreezeRead int
	// FreezeWrite blocks the nth outbound frame until Close: a peer that stopped reading.
	FreezeWrite int
	// LoseWrite swallows outbound frames from the nth on and reports success: a half-open connection.
	LoseWrite int
	// Split flushes after each frame, so that no two arrive together.
	Split bool
	// DelayRead and DelayWrite pass before each frame.
	DelayRead, DelayWrite time.Duration
}

// Conn is a connection with a Plan. It keeps the contract of transport.Conn.
type Conn struct {
	transport.Conn
	plan  Plan
	reads int // frames given so far; the reader's
	wrote int // frames taken so far; the writer's
	isCut atomic.Bool
	once  sync.Once
	gone  chan struct{} // closed by Close or a cut
}

// New wraps c, which it owns from then on.
func New(c transport.Conn, p Plan) *Conn {
	return &Conn{Conn: c, plan: p, gone: make(chan struct{})}
}

// Dialer wraps every connection of d; plan is given the number of the dial, from 1.
func Dialer(d transport.Dialer, plan func(dial int) Plan) transport.Dialer {
	return &dialer{d: d, plan: plan}
}

// Read is transport.Conn's, with faults.
func (c *Conn) Read(dst []byte) ([]byte, error) {
	f, err := c.Conn.Read(dst)
	if err != nil {
		return f, c.cutOr(err)
	}
	c.reads++
	switch n := c.reads; {
	case n == c.plan.CutRead:
		_ = c.cut()
	case c.plan.FreezeRead > 0 && n >= c.plan.FreezeRead:
		<-c.gone
		return dst, c.cutOr(transport.ErrClosed)
	}
	if err := c.sleep(c.plan.DelayRead); err != nil {
		return dst, err
	}
	return f, nil
}

// Write is transport.Conn's, with faults.
func (c *Conn) Write(frame []byte) error {
	if c.isCut.Load() {
		return ErrCut
	}
	if err := c.sleep(c.plan.DelayWrite); err != nil {
		return err
	}
	c.wrote++
	n := c.wrote
	switch {
	case n == c.plan.CutWrite:
		_ = c.Conn.Flush()
		return c.cut()
	case n == c.plan.FreezeWrite:
		<-c.gone
		return c.cutOr(transport.ErrClosed)
	case c.plan.LoseWrite > 0 && n >= c.plan.LoseWrite:
		return nil
	}
	if err := c.Conn.Write(frame); err != nil {
		return c.cutOr(err)
	}
	if n == c.plan.CutAfterWrite {
		_ = c.Conn.Flush()
		return c.cut()
	}
	if c.plan.Split {
		return c.Flush()
	}
	return nil
}

// Flush is transport.Conn's.
func (c *Conn) Flush() error {
	if c.isCut.Load() {
		return ErrCut
	}
	return c.cutOr(c.Conn.Flush())
}

// Close is transport.Conn's.
func (c *Conn) Close(reason string) error {
	c.once.Do(func() { close(c.gone) })
	return c.Conn.Close(reason)
}

func (c *Conn) cut() error {
	c.isCut.Store(true)
	_ = c.Close("cut")
	return ErrCut
}

// cutOr gives ErrCut in place of the error that a cut causes below.
func (c *Conn) cutOr(err error) error {
	if err != nil && c.isCut.Load() {
		return ErrCut
	}
	return err
}

// sleep waits for d, or until the connection is gone.
func (c *Conn) sleep(d time.Duration) error {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-c.gone:
		}
	}
	select {
	case <-c.gone:
		return c.cutOr(transport.ErrClosed)
	default:
		return nil
	}
}
