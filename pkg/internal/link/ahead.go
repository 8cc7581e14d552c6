package link

import "sync"

// aheadBytes is how much may be read and not yet handled.
const aheadBytes = 256 << 10

// inbound is one result of Conn.Read: a frame that nobody writes to any more, or an error.
type inbound struct {
	frame []byte
	err   error
}

// ahead reads on a goroutine of its own while the handler works on what was read before.
type ahead struct {
	mu      sync.Mutex
	queue   []inbound
	bytes   int
	waiting bool          // the handler waits for ready
	full    bool          // the reader waits for room
	ready   chan struct{} // of capacity one, as room
	room    chan struct{}
	stopped chan struct{} // closed when the reader is gone

	batch []inbound // of the handler
	at    int
}

func (l *Link) readAhead() *ahead {
	a := &ahead{ready: make(chan struct{}, 1), room: make(chan struct{}, 1), stopped: make(chan struct{})}
	go func() {
		defer close(a.stopped)
		s := slab{max: l.o.ReadSlab, foresees: true}
		for {
			in := l.readOne(&s)
			a.push(in, l.done)
			if in.err != nil && !isFrameError(in.err) {
				return
			}
			l.pulse.waiting()
		}
	}()
	return a
}

// push hands one over, and waits for room first when the handler is far behind. Once the link has ended it waits no
// more: the connection's error, which comes next, must reach the handler.
func (a *ahead) push(in inbound, ended <-chan struct{}) {
	a.mu.Lock()
	for over := false; a.bytes >= aheadBytes && !over; a.mu.Lock() {
		a.full = true
		a.mu.Unlock()
		select {
		case <-a.room:
		case <-ended:
			over = true
		}
	}
	defer a.mu.Unlock()
	a.queue = append(a.queue, in)
	a.bytes += len(in.frame)
	if a.waiting {
		a.waiting = false
		a.ready <- struct{}{} // empty: only who found waiting set fills it, and the handler empties it before it sets waiting
	}
}

// next returns the oldest inbound. Only the handler's goroutine calls it.
func (a *ahead) next() inbound {
	for a.at == len(a.batch) {
		clear(a.batch)
		a.mu.Lock()
		a.batch, a.queue, a.at, a.bytes = a.queue, a.batch[:0], 0, 0
		a.waiting = len(a.batch) == 0
		wait, full := a.waiting, a.full
		a.full = false
		a.mu.Unlock()
		if full {
			a.room <- struct{}{} // empty, as ready
		}
		if wait {
			<-a.ready
		}
	}
	in := a.batch[a.at]
	a.at++
	return in
}
