package local

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/arcpkit/arcp/pkg/transport"
)

// Network is a dialer whose connections fail when they are told to. Its methods may be called from any goroutine.
type Network struct {
	Dialer transport.Dialer

	mu    sync.Mutex
	dials int
	last  *conn
	lose  string
}

// Dial connects as the dialer below does.
func (n *Network) Dial(ctx context.Context) (transport.Conn, error) {
	c, err := n.Dialer.Dial(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials++
	n.last = &conn{Conn: c, network: n, frozen: make(chan struct{}), closed: make(chan struct{})}
	return n.last, nil
}

// Dials returns how many connections there have been.
func (n *Network) Dials() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials
}

// Cut ends the newest connection without a last word.
func (n *Network) Cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	_ = n.last.Conn.Close("cut")
}

// Freeze lets nothing more through the newest connection, in either direction. Nobody is told.
func (n *Network) Freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last.freeze.Do(func() { close(n.last.frozen) })
}

// Lose ends the connection that brings the next frame with the text given, and the frame with it.
func (n *Network) Lose(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lose = text
}

func (n *Network) loses(frame []byte) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lose == "" || !bytes.Contains(frame, []byte(n.lose)) {
		return false
	}
	n.lose = ""
	return true
}

type conn struct {
	transport.Conn
	network *Network

	freeze, closing sync.Once
	frozen, closed  chan struct{}
}

func (c *conn) Read(dst []byte) ([]byte, error) {
	frame, err := c.Conn.Read(dst)
	if c.isFrozen() {
		<-c.closed
		return dst, io.ErrUnexpectedEOF
	}
	if err == nil && c.network.loses(frame[len(dst):]) {
		_ = c.Conn.Close("lost")
		return dst, io.ErrUnexpectedEOF
	}
	return frame, err
}

func (c *conn) Write(frame []byte) error {
	if c.isFrozen() {
		return nil
	}
	return c.Conn.Write(frame)
}

func (c *conn) Flush() error {
	if c.isFrozen() {
		return nil
	}
	return c.Conn.Flush()
}

func (c *conn) Close(reason string) error {
	c.closing.Do(func() { close(c.closed) })
	return c.Conn.Close(reason)
}

func (c *conn) isFrozen() bool {
	select {
	case <-c.frozen:
		return true
	default:
		return false
	}
}
