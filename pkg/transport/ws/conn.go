package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/arcpkit/arcp/pkg/transport"
)

const (
	// DefaultWriteTimeout is how long one flush may take.
	DefaultWriteTimeout = 20 * time.Second
	// DefaultFrameTimeout is how long an inbound frame may take from its first byte to its last: at the limit of 4 MiB
	// still 70 kB/s. A peer that begins frames and does not end them holds a connection and memory for nothing.
	DefaultFrameTimeout = time.Minute
	// drainFactor is how many times the limit an oversized frame may be for the connection to go on behind it.
	drainFactor = 4
	// maxReason is what a close frame has room for, in bytes.
	maxReason = 123
)

// errTooBig ends a connection whose frame was not worth reading to its end.
var errTooBig = errors.New("ws: frame far above the limit")

// conn is a transport.Conn over one WebSocket.
//
// The WebSocket layer is never given a context that ends: it would close the connection with it, and a cancellable one
// costs more than the frame (measured).
type conn struct {
	ws     *websocket.Conn
	g      *gather
	limit  int
	peer   transport.Peer
	closed atomic.Bool
}

func newConn(ws *websocket.Conn, g *gather, limit int, peer transport.Peer) *conn {
	ws.SetReadLimit(-1) // ours is enforced in Read, where it need not end the connection
	g.on.Store(true)
	if limit <= 0 {
		limit = transport.DefaultMaxFrame
	}
	return &conn{ws: ws, g: g, limit: limit, peer: peer}
}

// or gives d, or the default when d says nothing.
func or(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}

func (c *conn) Read(dst []byte) ([]byte, error) {
	_, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return dst, c.readError(err)
	}
	c.g.inFrame.Store(true)
	defer c.g.inFrame.Store(false)
	start := len(dst)
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if len(dst)-start > c.limit {
			return dst[:start], c.drain(r, int64(len(dst)-start))
		}
		if errors.Is(err, io.EOF) {
			return dst, nil
		}
		if err != nil {
			return dst[:start], c.readError(err)
		}
	}
}

// drain reads a frame above the limit to its end and keeps only the count; a peer that goes on and on is cut off.
func (c *conn) drain(r io.Reader, size int64) error {
	scratch := make([]byte, 16<<10)
	most := int64(c.limit) * drainFactor
	for size <= most {
		n, err := r.Read(scratch)
		size += int64(n)
		if errors.Is(err, io.EOF) {
			return &transport.FrameError{Size: size, Limit: c.limit}
		}
		if err != nil {
			return c.readError(err)
		}
	}
	c.part(websocket.StatusMessageTooBig, fmt.Sprintf("frames are limited to %d bytes", c.limit))
	return fmt.Errorf("%w of %d bytes", errTooBig, c.limit)
}

// readError tells a clean end from a broken connection.
func (c *conn) readError(err error) error {
	if c.closed.Load() {
		return transport.ErrClosed
	}
	var ce websocket.CloseError
	if !errors.As(err, &ce) {
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("ws: connection lost: %w", io.ErrUnexpectedEOF)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("ws: a frame took more than %v to arrive: %w", c.g.frameTime, err)
		}
		return fmt.Errorf("ws: read: %w", err)
	}
	switch ce.Code {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd:
		return io.EOF
	}
	return fmt.Errorf("ws: peer closed the connection with status %d: %q", ce.Code, ce.Reason)
}

func (c *conn) Write(frame []byte) error {
	if c.closed.Load() {
		return transport.ErrClosed
	}
	if !c.g.batch.Load() {
		c.g.batch.Store(true)
	}
	if err := c.ws.Write(context.Background(), websocket.MessageText, frame); err != nil {
		return c.writeError(err)
	}
	if c.g.full() {
		return c.Flush()
	}
	return nil
}

func (c *conn) Flush() error {
	// Cleared first: a control frame written from here on is either in this flush or starts its own.
	c.g.batch.Store(false)
	if err := c.g.flush(); err != nil {
		return c.writeError(err)
	}
	return nil
}

func (c *conn) writeError(err error) error {
	switch {
	case c.closed.Load():
		return transport.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("ws: the peer took nothing for %v: %w", c.g.timeout, err)
	}
	return fmt.Errorf("ws: write: %w", err)
}

// Close says goodbye with a normal close frame and waits a second at most for the peer's, so that what was flushed
// before is not lost to a reset.
func (c *conn) Close(reason string) error {
	c.part(websocket.StatusNormalClosure, reason)
	return nil
}

func (c *conn) part(code websocket.StatusCode, reason string) {
	if c.closed.Swap(true) {
		return
	}
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "")
	}
	c.g.end(partTime)
	// From here on every frame is a control frame and flushes itself.
	c.g.batch.Store(false)
	// Why the parting failed interests nobody: the connection is closed either way.
	_ = c.ws.Close(code, reason)
}

func (c *conn) Peer() transport.Peer { return c.peer }
