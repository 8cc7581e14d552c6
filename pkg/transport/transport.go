// Package transport moves whole frames of bytes between two peers. It knows no message and no version: an in-memory
// pair, lines over a stream, a child process, and in package ws a WebSocket all look alike from above.
//
// # Who may do what
//
// One goroutine reads while another writes. Close is for anybody. A frame is written into the transport by Write and is
// on its way after Flush, so that a writer with sixty frames pays for one system call.
package transport

import (
	"context"
	"errors"
	"fmt"
)

// DefaultMaxFrame is the size in bytes above which an inbound frame is refused when an option says nothing (§4).
const DefaultMaxFrame = 4 << 20

// batchBytes is how much a line or pipe transport holds back before it flushes by itself.
const batchBytes = 64 << 10

// ErrClosed is what Read and Write return once Close was called on this end, or, for Write, once the other end is gone.
var ErrClosed = errors.New("transport: closed")

// Conn is one end of a connection. One goroutine may read while another writes; Close may be called from anywhere, any
// number of times.
type Conn interface {
	// Read appends the next frame to dst and returns the extended slice; the bytes belong to the caller. When the frame
	// fits into dst's capacity no memory is allocated. It returns io.EOF after a clean end. A *FrameError speaks of one
	// frame only: it is consumed, and the next Read goes on behind it. Any other error is final.
	Read(dst []byte) ([]byte, error)

	// Write takes one frame, a copy of which may be held back until Flush. It keeps no reference to frame.
	Write(frame []byte) error

	// Flush sends what Write held back, in one go where the transport can.
	Flush() error

	// Close ends the connection and makes a blocked Read, Write or Flush return. It may take a short, bounded time to
	// part from the peer in good order. The reason is for the peer's log, where the transport has a place for it.
	Close(reason string) error

	// Peer describes the other end. It does not change.
	Peer() Peer
}

// Peer is what a transport knows about the other end.
type Peer struct {
	// Secure is true when nobody on the way can read or change what is sent: TLS, loopback, a pipe.
	Secure bool
	// Loopback is true when the peer is on this machine.
	Loopback bool
	// Addr is for logs; its form depends on the transport.
	Addr string
	// Principal names the peer when the transport itself vouches for it, as a parent process does; empty otherwise.
	Principal string
}

// Dialer makes connections to one place. It may be used any number of times, by many goroutines.
type Dialer interface {
	// Dial returns a fresh connection; ctx bounds the dialling and not the connection.
	Dial(ctx context.Context) (Conn, error)
}

// DialerFunc makes a function a Dialer.
type DialerFunc func(ctx context.Context) (Conn, error)

// Dial calls f.
func (f DialerFunc) Dial(ctx context.Context) (Conn, error) { return f(ctx) }

// FrameError reports one inbound frame that was dropped while the connection goes on.
type FrameError struct {
	// Size is how many bytes the frame had; 0 when nobody counted.
	Size int64
	// Limit is the most this connection takes, in bytes; 0 when size was not the problem.
	Limit int
	// Problem says what was wrong, when it was not the size.
	Problem string
}

// Error names the frame's size and the limit, or the problem.
func (e *FrameError) Error() string {
	if e.Limit > 0 {
		return fmt.Sprintf("frame of %d bytes exceeds the limit of %d", e.Size, e.Limit)
	}
	return "unreadable frame: " + e.Problem
}

// maxFrameOr gives n, or the default when n says nothing.
func maxFrameOr(n int) int {
	if n <= 0 {
		return DefaultMaxFrame
	}
	return n
}
