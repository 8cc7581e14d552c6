package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Fold is what the records under a session's key say of its view.
type Fold struct {
	key     store.Key
	first   uint64 // oldest record read
	records uint64 // newest record read
	last    uint64 // newest number given
	top     uint32 // newest slot
	slots   map[uint32]*foldedSlot
	spans   []foldedSpan
	answers []positioned
}

type foldedSlot struct {
	jobID string
	seen  uint64
	first uint64 // its first number, 0 when it has none
	fresh bool   // attached to the whole log, and none of its spans is trimmed
	live  bool
}

type foldedSpan struct {
	slot       uint32
	seq, at, n uint64
	rec        uint64
	inline     []byte
}

func (p *foldedSpan) last() uint64 { return p.seq + p.n - 1 }

// NewFold returns the fold of a session of which nothing was read yet.
func NewFold(sessionID string) *Fold {
	return &Fold{key: store.Key{Kind: store.KindSession, ID: sessionID}, slots: map[uint32]*foldedSlot{}}
}

// Read goes on to the newest record.
func (f *Fold) Read(ctx context.Context, s store.Store) error {
	for {
		segs, err := s.Read(ctx, f.key, f.records+1, loadBytes)
		var trimmed *store.TrimmedError
		if errors.As(err, &trimmed) {
			f.records = trimmed.First - 1
			continue
		}
		if err != nil || len(segs) == 0 {
			return err
		}
		for i := range segs {
			for k := range segs[i].Len() {
				if err := f.read(segs[i].First+uint64(k), segs[i].Record(k)); err != nil {
					return err
				}
			}
		}
	}
}

// read takes one record. Slots are named before they are used, or again before a trim takes the name: so they are resolved at the end.
func (f *Fold) read(at uint64, rec []byte) error {
	if at <= f.records {
		return nil
	}
	if f.first == 0 {
		f.first = at
	}
	f.records = at
	r := ints{rec: rec[1:]}
	switch rec[0] {
	case recordAttach:
		s := f.slot(uint32(r.next()))
		from := r.next()
		s.fresh = s.fresh || s.seen == 0 && from == 0
		s.seen, s.live = max(s.seen, from), true
		s.jobID = string(r.rec)
	case recordDetach:
		f.slot(uint32(r.next())).live = false
	case recordSpan:
		f.span(foldedSpan{slot: uint32(r.next()), seq: r.next(), at: r.next(), n: r.next(), rec: at})
	case recordInline:
		p := foldedSpan{seq: r.next(), slot: uint32(r.next()), at: r.next(), n: 1, rec: at}
		p.inline = r.rec
		f.span(p)
	case recordAnswer:
		f.answer(positioned{after: r.next(), frame: r.rec})
	case recordTail:
		f.last = max(f.last, r.next())
	}
	if r.bad {
		return fmt.Errorf("%w: record %d of %s", ErrDamaged, at, f.key)
	}
	return nil
}

// answer takes an answer once, which a trim may have had recorded again.
func (f *Fold) answer(p positioned) {
	if !slices.ContainsFunc(f.answers, func(q positioned) bool { return q.after == p.after && bytes.Equal(q.frame, p.frame) }) {
		f.answers = append(f.answers, p)
	}
}

func (f *Fold) slot(n uint32) *foldedSlot {
	f.top = max(f.top, n)
	s := f.slots[n]
	if s == nil {
		s = &foldedSlot{}
		f.slots[n] = s
	}
	return s
}

func (f *Fold) span(p foldedSpan) {
	f.last = max(f.last, p.last())
	if p.slot > 0 && p.at > 0 {
		s := f.slot(p.slot)
		s.seen = max(s.seen, p.at+p.n-1)
		if s.first == 0 {
			s.first = p.seq
			if !s.fresh {
				s.first = 1 // it had others, which are trimmed; or it needs no accepted
			}
		}
	}
	if k := len(f.spans) - 1; k >= 0 && p.inline == nil {
		if b := &f.spans[k]; b.inline == nil && b.slot == p.slot && b.at+b.n == p.at && b.last()+1 == p.seq && b.n < 256 {
			b.n += p.n
			b.rec = p.rec
			return
		}
	}
	f.spans = append(f.spans, p)
}

type ints struct {
	rec []byte
	bad bool
}

func (r *ints) next() uint64 {
	n, k := binary.Uvarint(r.rec)
	if k <= 0 {
		r.bad = true
		return 0
	}
	r.rec = r.rec[k:]
	return n
}

// Jobs returns the jobs whose logs the view needs: those attached, and those with numbers that the records still tell of.
func (f *Fold) Jobs() (ids []string) {
	for _, s := range f.slots {
		if s.live {
			ids = append(ids, s.jobID)
		}
	}
	for i := range f.spans {
		if p := &f.spans[i]; p.inline == nil {
			ids = append(ids, f.slot(p.slot).jobID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Live returns the jobs attached.
func (f *Fold) Live() (ids []string) {
	for _, s := range f.slots {
		if s.live {
			ids = append(ids, s.jobID)
		}
	}
	slices.Sort(ids)
	return ids
}

// Seen returns up to which index the view was given each job that is attached.
func (f *Fold) Seen() map[string]uint64 {
	seen := make(map[string]uint64, len(f.slots))
	for _, s := range f.slots {
		if before, ok := seen[s.jobID]; s.live && (!ok || s.seen < before) {
			seen[s.jobID] = s.seen
		}
	}
	return seen
}

// Covers says whether a client that has all up to seq can go on from there with these logs (§6.3).
func (f *Fold) Covers(seq uint64, logs map[string]*Log) Coverage {
	if seq > f.last {
		return TooNew
	}
	next := seq + 1
	for i := range f.spans {
		p := &f.spans[i]
		if p.last() < next {
			continue
		}
		if p.seq > next {
			return TooOld
		}
		needed := p.at + next - p.seq
		if l := logs[f.slot(p.slot).jobID]; p.inline == nil && (l == nil || l.First() > needed) {
			return TooOld
		}
		next = p.last() + 1
	}
	if next <= f.last {
		return TooOld
	}
	for _, s := range f.slots {
		if l := logs[s.jobID]; s.live && l != nil && l.First() > s.seen+1 {
			return TooOld
		}
	}
	return Covered
}

// Adopt makes the view of a fold, written at the epoch its key was acquired with. It goes on after a number, which
// the client has; what the logs have got since is numbered now. Accepted holds the accepted frames, by job, of those that the session
// submitted: they have a place in the view.
func (s *Sequencer) Adopt(f *Fold, epoch store.Epoch, gates Gate, after uint64, logs map[string]*Log, accepted map[string][]byte) *View {
	v := newView(s, f.key, epoch, gates)
	v.next, v.published, v.written = f.last, f.last, min(after, f.last)
	v.records, v.sealed, v.durable, v.slots = f.records, f.records, f.records, f.top
	v.trimmed = max(f.first, 1) - 1
	for i := range f.spans {
		v.restore(f, &f.spans[i], logs)
	}
	s.lock()
	defer s.unlock()
	slots := make([]uint32, 0, len(f.slots))
	for n, slot := range f.slots {
		if slot.live && logs[slot.jobID] != nil {
			slots = append(slots, n)
		}
	}
	slices.Sort(slots)
	for _, n := range slots {
		slot := f.slots[n]
		l := logs[slot.jobID]
		a := &attachment{slot: n, seen: slot.seen}
		a.first.Store(slot.first)
		v.join(l, a)
		if frame := accepted[slot.jobID]; frame != nil {
			v.positionAccepted(l, frame)
		}
		s.replay(v, l, v.miss(l, slot.seen))
	}
	for _, p := range f.answers {
		v.position(p.frame, p.after)
	}
	s.commit()
	return v
}

// miss numbers what a log has dropped after an index, so that a resume finds it missing as if it had been dropped after it was numbered. It
// returns the index to go on after. The caller holds the baton.
func (v *View) miss(l *Log, seen uint64) uint64 {
	kept := min(l.First(), l.Committed()+1)
	if kept <= seen+1 {
		return seen
	}
	v.span(l, seen+1, kept-1, 0)
	return kept - 1
}

// restore makes an entry of a span.
func (v *View) restore(f *Fold, p *foldedSpan, logs map[string]*Log) {
	e := entry{seq0: p.seq, idx0: p.at, n: p.n, rec: p.rec, slot: p.slot, inline: p.inline, bytes: len(p.inline)}
	if p.inline == nil {
		e.log = logs[f.slot(p.slot).jobID]
		if e.log == nil {
			e.log = v.seq.Gone(f.slot(p.slot).jobID)
		}
		e.log.mu.Lock()
		e.bytes = e.log.bytes(p.at, p.at+p.n-1)
		e.log.mu.Unlock()
	}
	if e.last() <= v.written {
		v.kept += e.bytes
	} else {
		v.unwritten += e.bytes
	}
	v.entries = append(v.entries, e)
}
