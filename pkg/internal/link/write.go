package link

import (
	"fmt"
	"sync"
	"time"
)

// writer is what the writer goroutine works with. It is pooled, for a link at rest has none.
type writer struct {
	batch Batch
	lane  *frames // nil when no control frame waits
	last  bool    // the newest of the lane is the last frame there is
}

var writers = sync.Pool{New: func() any { return new(writer) }}

func (w *writer) clear() {
	w.batch.reset()
	w.last = false
	if w.lane != nil {
		w.lane.reset()
		lanes.Put(w.lane)
		w.lane = nil
	}
}

// startLocked makes sure somebody will look at the lanes and the state.
func (l *Link) startLocked() {
	if l.writing || l.state == ended {
		return
	}
	l.writing = true
	go l.write()
}

// write is the writer goroutine: it ends when there is nothing to write, or with the link.
func (l *Link) write() {
	w := writers.Get().(*writer)
	for l.fill(w) {
		if w.lane == nil && len(w.batch.ends) == 0 {
			continue // a wake-up came while the source was found empty
		}
		if err := l.put(w); err != nil {
			l.end(fmt.Errorf("link: write: %w", err), "write failed", cut)
		}
		w.clear()
	}
	w.clear()
	writers.Put(w)
}

// fill collects the next flush and says whether there is one. The source is asked before the control lane is taken:
// what was sent before an entry became visible to the source is then sure to be in the lane, and goes first.
func (l *Link) fill(w *writer) bool {
	l.mu.Lock()
	src, bulk := l.src, l.woken && l.state == open
	l.woken = false
	l.mu.Unlock()
	var more bool
	if bulk {
		var err error
		if more, err = src.Fill(&w.batch); err != nil {
			l.end(fmt.Errorf("link: source: %w", err), "internal error", draining)
			w.batch.reset()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == cut {
		w.batch.reset() // what the source gave before the end is written otherwise: it counts as sent
	}
	l.woken = l.woken || more && len(w.batch.ends) > 0
	w.lane, l.lane = l.lane, nil
	w.last, l.last = l.last, false
	if l.state != cut && (w.lane != nil || len(w.batch.ends) > 0) {
		l.freeRoomLocked()
		return true
	}
	return l.restLocked()
}

// restLocked lets the writer go when the lanes are empty, and finishes an ending link. It says whether to go on.
func (l *Link) restLocked() bool {
	if l.state == open {
		if l.woken {
			return true
		}
		l.writing = false
		l.settleLocked()
		if l.writeTimer != nil {
			l.writeTimer.Stop()
		}
		return false
	}
	l.mu.Unlock()
	l.hangUp()
	l.mu.Lock()
	l.state = ended
	l.pulse.stop()
	for _, t := range []*time.Timer{l.writeTimer, l.drainTimer} {
		if t != nil {
			t.Stop()
		}
	}
	close(l.done)
	return false
}

// put writes one flush under one deadline.
func (l *Link) put(w *writer) error {
	l.armWrite()
	first, last := frames{}, frames{}
	if w.lane != nil {
		first = *w.lane
	}
	if w.last {
		first, last = first.split()
	}
	for _, f := range []*frames{&first, &w.batch.frames, &last} {
		if err := f.each(l.conn.Write); err != nil {
			return err
		}
	}
	if err := l.conn.Flush(); err != nil {
		return err
	}
	l.pulse.sent()
	return nil
}

// armWrite starts the write deadline anew. It is stopped when the writer rests, so it spans a write and the little that
// is done between two.
func (l *Link) armWrite() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writeTimer == nil {
		l.writeTimer = time.AfterFunc(l.o.WriteTimeout, func() { l.end(ErrWriteTimeout, "write timed out", cut) })
		return
	}
	l.writeTimer.Reset(l.o.WriteTimeout)
}
