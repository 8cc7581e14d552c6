package journal

import "strconv"

// AppendFrames appends the next frames to dst and the end of each to ends, until about maxBytes or maxFrames. Frames
// appended count as written. One goroutine at a time may call it. When it says that there may be more, as it does after
// each frame, it must be called again as soon as these are on their way: until then emitters may leave what they stage
// to that call.
func (v *View) AppendFrames(dst []byte, ends []int, maxBytes, maxFrames int) (_ []byte, _ []int, more bool, err error) {
	v.busy.Store(false)
	v.seq.kick()
	before := len(ends)
	dst, ends, err = v.appendFrames(dst, ends, maxBytes, maxFrames)
	more = err == nil && len(ends) > before
	v.busy.Store(more)
	return dst, ends, more, err
}

func (v *View) appendFrames(dst []byte, ends []int, maxBytes, maxFrames int) (_ []byte, _ []int, err error) {
	limit, frames := len(dst)+maxBytes, len(ends)+maxFrames
	for len(dst) < limit && len(ends) < frames {
		e, n, err := v.take(frames - len(ends))
		if err != nil || n == 0 {
			return dst, ends, err
		}
		if e.log == nil {
			dst = v.appendFrame(dst, e.seq0, e.inline)
			ends = append(ends, len(dst))
			v.wrote(1, e.bytes)
			continue
		}
		if dst, ends, err = v.appendSpan(dst, ends, e, n, limit); err != nil {
			return dst, ends, err
		}
	}
	return dst, ends, nil
}

// take returns the part of the entry at the writer's position that may be written, at most n frames of it.
func (v *View) take(n int) (entry, uint64, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.failed != nil || v.written >= v.published {
		return entry{}, 0, v.failed
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

func (v *View) appendSpan(dst []byte, ends []int, e entry, n uint64, limit int) ([]byte, []int, error) {
	r, ok := e.log.read(e.idx0, n)
	if !ok {
		return dst, ends, v.overrun()
	}
	bytes, seq := 0, e.seq0
	for i := range r.ends {
		rec := r.record(i)
		dst = v.appendFrame(dst, seq, rec)
		ends = append(ends, len(dst))
		bytes += len(rec)
		seq++
		if len(dst) >= limit {
			break
		}
	}
	v.wrote(seq-e.seq0, bytes)
	return dst, ends, nil
}

func (v *View) appendFrame(dst []byte, seq uint64, rec []byte) []byte {
	dst = append(dst, v.prefix[rec[0]]...)
	dst = strconv.AppendUint(dst, seq, 10)
	return append(dst, rec[recordHead:]...)
}

func (v *View) overrun() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = ErrOverrun
	return v.failed
}

func (v *View) wrote(n uint64, bytes int) {
	v.mu.Lock()
	v.written += n
	v.unwritten -= bytes
	v.kept += bytes
	if v.written == v.published {
		v.unwritten = 0 // a rewind into the middle of an entry counted all of it
	}
	v.evict()
	v.mu.Unlock()
}

// evict forgets whole entries that are written and acknowledged, or written and past the cap, oldest first.
func (v *View) evict() {
	k := 0
	for k < len(v.entries) {
		e := &v.entries[k]
		if e.last() > v.written || (e.last() > v.acked && v.kept <= v.seq.limits.ViewBytes) {
			break
		}
		v.kept -= e.bytes
		k++
	}
	if k == 0 {
		return
	}
	v.at = max(0, v.at-k)
	rest := copy(v.entries, v.entries[k:])
	clear(v.entries[rest:])
	v.entries = v.entries[:rest]
}

// Ack says that the client has everything up to seq (§6.5). Excess is clamped to what was written; it only grows.
func (v *View) Ack(seq uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.acked = max(v.acked, min(seq, v.written))
	v.evict()
}

// Coverage is what a rewind found.
type Coverage int

// The answers of Rewind.
const (
	Covered Coverage = iota
	TooOld           // the view no longer holds the number after it
	TooNew           // the number was never given
)

// Rewind puts the writer back to just after seq, which must be what a client says it has seen last (§6.3). It changes
// nothing unless it returns Covered. No writer may be running.
func (v *View) Rewind(seq uint64) Coverage {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case seq > v.published:
		return TooNew
	case seq+1 < v.first():
		return TooOld
	}
	v.unwritten += v.kept
	v.kept = 0
	v.at, v.written = 0, seq
	for i := range v.entries {
		e := &v.entries[i]
		if e.last() > seq {
			break
		}
		v.kept += e.bytes
	}
	v.unwritten -= v.kept
	return Covered
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
