package journal

// positioned is a frame without a number that has its place in a view: it is sent again when a session is resumed from
// before that place.
type positioned struct {
	frame []byte
	of    *attachment // an accepted: sent again until the client has one of its job's numbers
	after uint64      // the newest number given before it, for all others
}

// due says whether a client that has all up to seq may lack the frame.
func (p *positioned) due(seq uint64) bool {
	if p.of == nil {
		return seq <= p.after
	}
	first := p.of.first.Load()
	return first == 0 || seq < first
}

// Tail returns the newest number a view has given.
func (s *Sequencer) Tail(v *View) uint64 {
	s.lock()
	defer s.unlock()
	return v.next
}

// Position keeps a frame that is about to be sent, ahead of the numbers above after, until the client is known to have it. An error says that
// it must not be sent: it, or what it tells of, is not committed.
func (s *Sequencer) Position(v *View, frame []byte, after uint64) error {
	s.lock()
	defer s.unlock()
	if v.lost {
		return ErrLost
	}
	s.position(v, frame, after)
	s.commit()
	if v.lost {
		return ErrLost
	}
	return s.Err()
}

// position keeps the frame, and stages its record. The caller holds the baton.
func (s *Sequencer) position(v *View, frame []byte, after uint64) {
	v.position(frame, after)
	v.recordAnswer(after, frame)
}

func (v *View) position(frame []byte, after uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.positioned = append(v.positioned, positioned{frame: frame, after: after})
	v.answers += len(frame)
	if v.answers > v.seq.limits.ViewBytes {
		v.shorten()
	}
}

// shorten forgets the oldest answers down to half of the cap, but not the newest: a client that asks without end and never acknowledges
// would have them pile up. The caller holds v.mu.
func (v *View) shorten() {
	last := len(v.positioned) - 1
	k := 0
	for i, p := range v.positioned {
		if p.of == nil && i < last && v.answers > v.seq.limits.ViewBytes/2 {
			v.answers -= len(p.frame)
			continue
		}
		v.positioned[k] = p
		k++
	}
	clear(v.positioned[k:])
	v.positioned = v.positioned[:k]
}

// prunePace is how many positioned frames are looked at for each number that a client has got since the last look.
const prunePace = 8

// prune forgets the frames that no resume can ask for any more. It looks at all of them only when enough numbers are had since, or all
// are: a client that never acknowledges has very many, and some are had with each write. The caller holds v.mu.
func (v *View) prune() {
	seq := max(v.acked.Load(), v.first()-1)
	if had := seq - v.pruned; had == 0 || seq < v.published && had < uint64(len(v.positioned)/prunePace) {
		return
	}
	v.pruned = seq
	k := 0
	for _, p := range v.positioned {
		if p.due(seq) {
			v.positioned[k] = p
			k++
		} else if p.of == nil {
			v.answers -= len(p.frame)
		}
	}
	clear(v.positioned[k:])
	v.positioned = v.positioned[:k]
}

// Coverage is what a resume found.
type Coverage int

// The answers of Resume.
const (
	Covered Coverage = iota
	TooOld           // the view no longer holds the number after it
	TooNew           // the number was never given
)

// Covers says whether a client that has all up to seq can go on from there (§6.3).
func (v *View) Covers(seq uint64) Coverage {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.covers(seq)
}

func (v *View) covers(seq uint64) Coverage {
	switch {
	case seq > v.published:
		return TooNew
	case seq+1 < v.first():
		return TooOld
	}
	for i := range v.entries {
		e := &v.entries[i]
		if e.last() <= seq || e.log == nil {
			continue
		}
		needed := e.idx0
		if seq >= e.seq0 {
			needed += seq + 1 - e.seq0
		}
		if e.log.First() > needed {
			return TooOld
		}
	}
	return Covered
}

// Resume puts the writer back to just after seq, which a client says it has seen last, and gives it to a new reader; the
// one before reads nothing more. It returns the frames without a number that must be sent before anything else. It
// changes nothing unless the view covers seq. The reader gets nothing to write before SetWaker.
func (v *View) Resume(seq uint64) (*Reader, [][]byte, Coverage) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if c := v.covers(seq); c != Covered {
		return nil, nil, c
	}
	v.rewind(seq)
	v.allowed, v.overrun = v.unwritten, false
	v.generation++
	v.waker = nil
	v.busy.Store(false)
	var frames [][]byte
	for i := range v.positioned {
		if p := &v.positioned[i]; p.due(seq) {
			frames = append(frames, p.frame)
		}
	}
	return &Reader{view: v, generation: v.generation}, frames, Covered
}

func (v *View) rewind(seq uint64) {
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
}

// SetWaker says whom to wake when the reader has something to write, and wakes it if there is something already.
func (r *Reader) SetWaker(w Waker) {
	v := r.view
	v.mu.Lock()
	if r.generation != v.generation {
		v.mu.Unlock()
		return
	}
	v.waker = w
	ready := v.written < v.published || v.failed != nil || v.overrun
	v.mu.Unlock()
	if ready {
		w.Wake()
	}
}

// Close says that the reader reads no more. It does nothing for a reader that another one took the place of.
func (r *Reader) Close() {
	v := r.view
	v.mu.Lock()
	mine := r.generation == v.generation
	if mine {
		v.generation++
		v.waker = nil
		v.busy.Store(false)
	}
	v.mu.Unlock()
	if mine {
		v.seq.kick() // what emitters left to this reader
	}
}

// Ack says that the client has everything up to seq (§6.5). Excess is clamped to what was written; it only grows.
func (v *View) Ack(seq uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.acks.Store(true)
	v.acked.Store(max(v.acked.Load(), min(seq, v.written)))
	v.caughtUp()
	v.evict()
	v.prune()
}

// Idle says whether the client has everything published, as far as can be told: all is written, and acknowledged by one
// that acknowledges.
func (v *View) Idle() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.written == v.published && (!v.acks.Load() || v.acked.Load() == v.published)
}

// Hold keeps the writer from the view's numbers until as many Releases, so that a frame can be sent before those that an attach brings.
func (v *View) Hold() {
	v.mu.Lock()
	v.held++
	v.mu.Unlock()
}

// Release ends a Hold.
func (v *View) Release() {
	v.mu.Lock()
	v.held--
	waker := v.waker
	v.mu.Unlock()
	if waker != nil {
		waker.Wake()
	}
}
