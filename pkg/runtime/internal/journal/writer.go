package journal

import (
	"context"
	"strconv"
)

// Reader reads a view for one link. A later reader of the same view takes its place.
type Reader struct {
	view       *View
	generation uint64

	// Reveal, if not nil, returns what the reader gets in place of the frame of an event of which it may know more than its log says. It is set
	// before SetWaker, and called with no lock held.
	Reveal func(jobID string, frame []byte) []byte
}

// AppendFrames appends the next frames to dst and the end of each to ends, until about maxBytes or maxFrames. Frames
// appended count as written. One goroutine at a time may call it. When it says that there may be more, as it does after
// each frame, it must be called again as soon as these are on their way: until then emitters may leave what they stage
// to that call. A reader that another one took the place of gets nothing.
func (r *Reader) AppendFrames(dst []byte, ends []int, maxBytes, maxFrames int) (_ []byte, _ []int, more bool, err error) {
	v := r.view
	if !r.busy(false) {
		return dst, ends, false, nil
	}
	v.seq.nudge()
	before := len(ends)
	dst, ends, err = r.appendFrames(dst, ends, maxBytes, maxFrames)
	more = err == nil && len(ends) > before
	if more {
		r.busy(true)
	}
	return dst, ends, more, err
}

// busy says whether the reader is on its way with frames, unless it is no longer the view's.
func (r *Reader) busy(yes bool) bool {
	r.view.mu.Lock()
	defer r.view.mu.Unlock()
	if r.generation != r.view.generation {
		return false
	}
	r.view.busy.Store(yes)
	return true
}

func (r *Reader) appendFrames(dst []byte, ends []int, maxBytes, maxFrames int) (_ []byte, _ []int, err error) {
	limit, frames := len(dst)+maxBytes, len(ends)+maxFrames
	for len(dst) < limit && len(ends) < frames {
		e, n, err := r.take(frames - len(ends))
		if err != nil || n == 0 {
			return dst, ends, err
		}
		if e.log == nil {
			dst = r.view.appendFrame(dst, e.seq0, e.inline)
			ends = append(ends, len(dst))
			r.wrote(1, e.bytes)
			continue
		}
		if dst, ends, err = r.appendSpan(dst, ends, e, n, limit); err != nil {
			return dst, ends, err
		}
	}
	return dst, ends, nil
}

// take returns the part of the entry at the writer's position that may be written, at most n frames of it.
func (r *Reader) take(n int) (entry, uint64, error) {
	v := r.view
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.generation != v.generation || v.held > 0 {
		return entry{}, 0, nil
	}
	switch {
	case v.failed != nil:
		return entry{}, 0, v.failed
	case v.overrun:
		return entry{}, 0, ErrOverrun
	case v.written >= v.published:
		return entry{}, 0, nil
	}
	for v.entries[v.at].last() <= v.written {
		v.at++
	}
	e := v.entries[v.at]
	skip := v.written + 1 - e.seq0
	e.seq0 += skip
	e.idx0 += skip
	e.n -= skip
	return e, min(e.n, uint64(n), v.published-v.written), nil
}

func (r *Reader) appendSpan(dst []byte, ends []int, e entry, n uint64, limit int) ([]byte, []int, error) {
	records, ok := e.log.read(e.idx0, n)
	for !ok && e.log.Shelved() { // it may be shelved again by others who read at the same time
		if err := e.log.Fetch(context.Background()); err != nil { // bounded by the store
			return dst, ends, err
		}
		records, ok = e.log.read(e.idx0, n)
	}
	if !ok {
		return dst, ends, r.fallen()
	}
	bytes, seq := 0, e.seq0
	for i := range records.ends {
		rec := records.record(i)
		start := len(dst)
		dst = r.view.appendFrame(dst, seq, rec)
		if Gate(rec[1])&GateReveal != 0 && r.Reveal != nil {
			dst = append(dst[:start], r.Reveal(e.log.jobID, dst[start:])...)
		}
		ends = append(ends, len(dst))
		bytes += len(rec)
		seq++
		if len(dst) >= limit {
			break
		}
	}
	r.wrote(seq-e.seq0, bytes)
	return dst, ends, nil
}

func (v *View) appendFrame(dst []byte, seq uint64, rec []byte) []byte {
	dst = append(dst, v.prefix[rec[0]]...)
	dst = strconv.AppendUint(dst, seq, 10)
	return append(dst, rec[recordHead:]...)
}

// fallen notes that the log has dropped what the reader was to write next.
func (r *Reader) fallen() error {
	v := r.view
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.generation == v.generation {
		v.overrun = true
	}
	return ErrOverrun
}

func (r *Reader) wrote(n uint64, bytes int) {
	v := r.view
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.generation != v.generation {
		return
	}
	v.written += n
	v.unwritten -= bytes
	v.allowed = max(0, v.allowed-bytes)
	v.kept += bytes
	v.progress += uint64(bytes)
	v.crowd()
	if v.written == v.published {
		v.unwritten = 0 // a rewind into the middle of an entry counted all of it
	}
	v.evict()
}

// evict forgets whole entries that are written and acknowledged, or written and past the cap, oldest first.
func (v *View) evict() {
	acked := v.acked.Load()
	k := 0
	for k < len(v.entries) {
		e := &v.entries[k]
		if e.last() > v.written || (e.last() > acked && v.kept <= v.seq.limits.ViewBytes) {
			break
		}
		v.kept -= e.bytes
		v.gone = e.rec
		*e = entry{}
		k++
	}
	if k == 0 {
		return
	}
	v.at = max(0, v.at-k)
	v.entries = v.entries[k:] // what append moves it to does not hold the gone ones any more
	v.prune()
}

// first returns the oldest number retained, one past the newest when none is.
func (v *View) first() uint64 {
	if len(v.entries) == 0 {
		return v.published + 1
	}
	return v.entries[0].seq0
}

// Bounds returns the oldest number retained, the newest written and the newest published.
func (v *View) Bounds() (first, written, published uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.first(), v.written, v.published
}
