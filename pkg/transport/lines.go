package transport

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// LinesOptions shapes a line transport. A nil pointer and the zero value mean the defaults.
type LinesOptions struct {
	// MaxFrame refuses longer lines, in bytes; 0 means DefaultMaxFrame.
	MaxFrame int
	// Peer is what Peer returns; the zero value becomes a secure peer on this machine called "stdio".
	Peer Peer
}

// NewLines speaks one frame a line (§4.2) over r and w. Lines end in "\n"; "\r\n" is tolerated and blank lines are
// skipped; a last line without an end counts. A line above the limit is skipped to its end without being stored and is
// reported as a *FrameError. Close closes c, which must make a blocked Read of r and Write to w return; a nil c leaves
// both open.
func NewLines(r io.Reader, w io.Writer, c io.Closer, o *LinesOptions) Conn {
	l := &lineConn{r: bufio.NewReaderSize(r, 4<<10), w: w, closer: c, max: DefaultMaxFrame}
	if o != nil {
		l.max, l.peer = maxFrameOr(o.MaxFrame), o.Peer
	}
	if l.peer == (Peer{}) {
		l.peer = Peer{Secure: true, Loopback: true, Addr: "stdio"}
	}
	return l
}

type lineConn struct {
	r      *bufio.Reader
	w      io.Writer
	closer io.Closer
	buf    []byte // lines since the last Flush; only the writing goroutine touches it
	max    int
	peer   Peer
	closed atomic.Bool
}

func (c *lineConn) Read(dst []byte) ([]byte, error) {
	for {
		if c.closed.Load() {
			return dst, ErrClosed
		}
		line, err := c.line(dst)
		if len(bytes.TrimSpace(line[len(dst):])) > 0 && (err == nil || errors.Is(err, io.EOF)) {
			return line, nil
		}
		if err != nil {
			if c.closed.Load() {
				err = ErrClosed
			}
			return dst, err
		}
	}
}

// line appends one line without its end to dst. At the end of the stream it returns what is left together with io.EOF.
func (c *lineConn) line(dst []byte) ([]byte, error) {
	start := len(dst)
	for {
		part, err := c.r.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		if err == nil {
			part = part[:len(part)-1]
		}
		// One byte more than the limit may be stored, for it may be the "\r" that does not count.
		if size := len(dst) - start + len(part); size > c.max+1 {
			return dst[:start], c.skip(int64(size), full)
		}
		dst = append(dst, part...)
		if full {
			continue
		}
		dst = dropCR(dst, start)
		if size := len(dst) - start; size > c.max {
			return dst[:start], &FrameError{Size: int64(size), Limit: c.max}
		}
		return dst, err
	}
}

// skip reads to the end of a line that is too long already, and keeps only the count.
func (c *lineConn) skip(size int64, more bool) error {
	for more {
		part, err := c.r.ReadSlice('\n')
		size += int64(len(part))
		more = errors.Is(err, bufio.ErrBufferFull)
		if err == nil {
			size--
		}
	}
	return &FrameError{Size: size, Limit: c.max}
}

func dropCR(dst []byte, start int) []byte {
	if n := len(dst); n > start && dst[n-1] == '\r' {
		return dst[:n-1]
	}
	return dst
}

func (c *lineConn) Write(frame []byte) error {
	if c.closed.Load() {
		return ErrClosed
	}
	start := len(c.buf)
	c.buf = append(c.buf, frame...)
	// A line break inside JSON text can only be white space: in a string it is escaped. A blank keeps the meaning and
	// the framing.
	for p := c.buf[start:]; ; {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		p[i], p = ' ', p[i+1:]
	}
	c.buf = append(c.buf, '\n')
	if len(c.buf) >= batchBytes {
		return c.Flush()
	}
	return nil
}

func (c *lineConn) Flush() error {
	if c.closed.Load() {
		return ErrClosed
	}
	if len(c.buf) == 0 {
		return nil
	}
	_, err := c.w.Write(c.buf)
	if cap(c.buf) > 2*batchBytes {
		c.buf = nil
	}
	c.buf = c.buf[:0]
	if err != nil {
		if c.closed.Load() {
			return ErrClosed
		}
		return fmt.Errorf("transport: write lines: %w", err)
	}
	return nil
}

func (c *lineConn) Close(string) error {
	if c.closed.Swap(true) || c.closer == nil {
		return nil
	}
	return c.closer.Close()
}

func (c *lineConn) Peer() Peer { return c.peer }
