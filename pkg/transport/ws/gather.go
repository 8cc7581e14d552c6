package ws

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// batchBytes is what a Write may leave waiting for a Flush; past it, it flushes by itself.
	batchBytes = 64 << 10
	// gatherCap is a buffer for a batch and its frame headers.
	gatherCap = batchBytes + 4<<10
	// keepCap is the largest buffer that goes back to the pool.
	keepCap = 256 << 10
	// inlineCap is where a write of the WebSocket layer reaches the socket itself. It is above a batch and the largest
	// frame we emit, so it is a guard against a flood of pings and not a path.
	inlineCap = 2 << 20
	// readAhead is the size of the large reads of a connection that has much to read.
	readAhead = 32 << 10
	// partTime bounds how long Close waits for the peer's close frame, and for our own to leave.
	partTime = time.Second
)

// Buffers are shared by all connections: an idle one holds none.
var (
	writeBuffers = sync.Pool{New: func() any { b := make([]byte, 0, gatherCap); return &b }}
	readBuffers  = sync.Pool{New: func() any { b := make([]byte, readAhead); return &b }}
)

// gather is the net.Conn under the WebSocket layer. What that layer writes is collected until flush, which sends it in
// one Write under one deadline. Frames the layer writes by its own choice, pong and close, have nobody who flushes for
// them: they start a flush unless a batch is open already.
//
// Invariant: the WebSocket layer never waits for the network in Write, so its locks are held for a copy only and the
// reading goroutine, which answers pings, never waits on a stalled writer.
type gather struct {
	net.Conn
	timeout time.Duration // of one flush

	on    atomic.Bool // false during the HTTP handshake: writes pass through
	batch atomic.Bool // frames of ours are in the buffer and a flush will follow

	mu     sync.Mutex // guards what follows; never held over I/O
	buf    *[]byte
	err    error
	kicked bool // a flush of control frames is under way
	ending bool // deadlines are set for good; all are set under mu

	wmu sync.Mutex // held over one network write

	head []byte  // read before the WebSocket layer took over; then the read-ahead
	big  *[]byte // the pooled buffer head points into
	hot  bool    // the last read filled its buffer: use a large one

	frameTime time.Duration // for one inbound frame, from its first byte on
	inFrame   atomic.Bool   // a frame has begun and is not read to its end
	bounded   bool          // a read deadline is set for it; the reader's
}

func (g *gather) Write(p []byte) (int, error) {
	if !g.on.Load() {
		return g.Conn.Write(p)
	}
	g.mu.Lock()
	if g.err != nil {
		g.mu.Unlock()
		return 0, g.err
	}
	if g.buf == nil {
		g.buf = writeBuffers.Get().(*[]byte)
	}
	*g.buf = append(*g.buf, p...)
	full := len(*g.buf) >= inlineCap
	kick := !full && !g.kicked && !g.batch.Load()
	g.kicked = g.kicked || kick
	g.mu.Unlock()
	if kick {
		go g.flushControl()
	}
	if full {
		if err := g.flush(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// flushControl sends frames that came without a batch.
func (g *gather) flushControl() {
	_ = g.flush()
}

// full tells whether a batch's worth is waiting.
func (g *gather) full() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.buf != nil && len(*g.buf) >= batchBytes
}

// flush sends what was gathered. An error is final.
func (g *gather) flush() error {
	g.wmu.Lock()
	defer g.wmu.Unlock()
	return g.flushLocked()
}

func (g *gather) flushLocked() error {
	g.mu.Lock()
	buf, err := g.buf, g.err
	g.buf, g.kicked = nil, false
	if buf != nil && err == nil && !g.ending {
		err = g.Conn.SetWriteDeadline(time.Now().Add(g.timeout))
	}
	g.mu.Unlock()
	if buf == nil {
		return err
	}
	if err == nil {
		_, err = g.Conn.Write(*buf)
	}
	if cap(*buf) <= keepCap {
		*buf = (*buf)[:0]
		writeBuffers.Put(buf)
	}
	if err != nil {
		g.fail(err)
	}
	return err
}

func (g *gather) fail(err error) {
	g.mu.Lock()
	if g.err == nil {
		g.err = err
	}
	g.mu.Unlock()
}

// end bounds everything still under way: nothing on this connection takes longer than d from now on.
func (g *gather) end(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ending = true
	_ = g.Conn.SetDeadline(time.Now().Add(d)) // a connection that takes no deadline is closed already
}

// boundRead gives a frame that has begun frameTime to arrive whole, and an idle connection all the time there is. It
// costs a frame nothing that comes in one piece.
func (g *gather) boundRead() {
	inFrame := g.inFrame.Load()
	if inFrame == g.bounded {
		return
	}
	g.bounded = inFrame
	var at time.Time
	if inFrame {
		at = time.Now().Add(g.frameTime)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ending {
		_ = g.Conn.SetReadDeadline(at) // as in end
	}
}

// Close sends a last control frame if the socket takes it, and closes.
func (g *gather) Close() error {
	if g.on.Load() && g.wmu.TryLock() {
		g.end(partTime)
		_ = g.flushLocked()
		g.wmu.Unlock()
	}
	g.fail(net.ErrClosed)
	return g.Conn.Close()
}

// Read gives what was read ahead first. A connection that just filled a small buffer has more to come and reads ahead
// into a large pooled one, which it gives back before it waits once the stream has slowed down.
func (g *gather) Read(p []byte) (int, error) {
	if len(g.head) > 0 {
		return g.fromHead(p), nil
	}
	g.boundRead()
	if !g.hot || len(p) >= readAhead || !g.on.Load() {
		g.release()
		n, err := g.Conn.Read(p)
		g.hot = n == len(p) && n >= 512
		return n, err
	}
	if g.big == nil {
		g.big = readBuffers.Get().(*[]byte)
	}
	n, err := g.Conn.Read(*g.big)
	g.head = (*g.big)[:n]
	g.hot = n >= readAhead/4
	if n > 0 {
		return g.fromHead(p), nil
	}
	g.release()
	return 0, err
}

func (g *gather) fromHead(p []byte) int {
	n := copy(p, g.head)
	if g.head = g.head[n:]; len(g.head) == 0 {
		g.head = nil
	}
	return n
}

func (g *gather) release() {
	if g.big != nil {
		readBuffers.Put(g.big)
		g.big = nil
	}
}
