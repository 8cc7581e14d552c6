package transport

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// PipeOptions shapes an in-memory pair. The zero value is what Pipe uses.
type PipeOptions struct {
	// Bytes is how much one direction holds before a Flush waits for the reader; 0 means 256 KiB.
	Bytes int
	// MaxFrame refuses larger frames on arrival, in bytes; 0 means DefaultMaxFrame.
	MaxFrame int
	// Principal is what each end says of the other.
	Principal string
}

// Pipe returns the two ends of an in-memory connection. Frames are copied, bounded and invisible to the other end until
// Flush, so that it checks what a wire checks. A wait in it is durable in a testing/synctest bubble.
func Pipe() (Conn, Conn) { return NewPipe(PipeOptions{}) }

// NewPipe is Pipe with other bounds.
func NewPipe(o PipeOptions) (Conn, Conn) {
	if o.Bytes <= 0 {
		o.Bytes = 256 << 10
	}
	o.MaxFrame = maxFrameOr(o.MaxFrame)
	ab, ba := newPipeHalf(o), newPipeHalf(o)
	peer := Peer{Secure: true, Loopback: true, Addr: "pipe", Principal: o.Principal}
	return &pipeConn{in: ba, out: ab, peer: peer}, &pipeConn{in: ab, out: ba, peer: peer}
}

type pipeConn struct {
	in, out *pipeHalf
	staged  []byte // frames since the last Flush, each behind its length; only the writing goroutine touches it
	peer    Peer
}

func (c *pipeConn) Read(dst []byte) ([]byte, error) { return c.in.read(dst) }

func (c *pipeConn) Write(frame []byte) error {
	if err := c.out.writable(); err != nil {
		return err
	}
	c.staged = binary.AppendUvarint(c.staged, uint64(len(frame)))
	c.staged = append(c.staged, frame...)
	if len(c.staged) >= batchBytes {
		return c.Flush()
	}
	return nil
}

func (c *pipeConn) Flush() error {
	err := c.out.put(c.staged)
	if cap(c.staged) > 2*batchBytes {
		c.staged = nil
	}
	c.staged = c.staged[:0]
	return err
}

func (c *pipeConn) Close(string) error {
	c.out.endWrite()
	c.in.endRead()
	return nil
}

func (c *pipeConn) Peer() Peer { return c.peer }

// pipeHalf is one direction: a queue of frames, each behind its length.
type pipeHalf struct {
	mu       sync.Mutex
	cond     sync.Cond // both sides wait on it
	buf      []byte
	off      int // start of the first unread frame
	bytes    int
	maxFrame int
	noWriter bool // the writing end closed: read what is there, then io.EOF
	noReader bool // the reading end closed: nothing is read or written any more
}

func newPipeHalf(o PipeOptions) *pipeHalf {
	h := &pipeHalf{bytes: o.Bytes, maxFrame: o.MaxFrame}
	h.cond.L = &h.mu
	return h
}

func (h *pipeHalf) read(dst []byte) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.off == len(h.buf) && !h.noWriter && !h.noReader {
		h.cond.Wait()
	}
	if h.noReader {
		return dst, ErrClosed
	}
	if h.off == len(h.buf) {
		return dst, io.EOF
	}
	size, n := binary.Uvarint(h.buf[h.off:])
	start := h.off + n
	h.off = start + int(size)
	frame := h.buf[start:h.off]
	var err error
	if len(frame) > h.maxFrame {
		err = &FrameError{Size: int64(size), Limit: h.maxFrame}
	} else {
		dst = append(dst, frame...)
	}
	if h.off == len(h.buf) {
		h.buf, h.off = h.buf[:0], 0
	}
	h.cond.Broadcast()
	return dst, err
}

// put waits until p fits, or the queue is empty, and appends it.
func (h *pipeHalf) put(p []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		if err := h.writableLocked(); err != nil {
			return err
		}
		queued := len(h.buf) - h.off
		if queued == 0 || queued+len(p) <= h.bytes {
			break
		}
		h.cond.Wait()
	}
	if h.off > 0 && len(h.buf)+len(p) > cap(h.buf) {
		h.buf = h.buf[:copy(h.buf, h.buf[h.off:])]
		h.off = 0
	}
	h.buf = append(h.buf, p...)
	h.cond.Broadcast()
	return nil
}

func (h *pipeHalf) writable() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.writableLocked()
}

func (h *pipeHalf) writableLocked() error {
	switch {
	case h.noWriter:
		return ErrClosed
	case h.noReader:
		return fmt.Errorf("%w by the other end", ErrClosed)
	}
	return nil
}

func (h *pipeHalf) endWrite() {
	h.mu.Lock()
	h.noWriter = true
	h.cond.Broadcast()
	h.mu.Unlock()
}

func (h *pipeHalf) endRead() {
	h.mu.Lock()
	h.noReader = true
	h.cond.Broadcast()
	h.mu.Unlock()
}
