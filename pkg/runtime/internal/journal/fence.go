package journal

import (
	"context"
	"errors"
	"slices"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// lost says whether a commit was refused because the key belongs to somebody else, or is no more.
func lost(err error) bool {
	return errors.Is(err, store.ErrFenced) || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound)
}

// write commits the batch. A key that another node has taken over is left out, with all that depends on it, and the rest
// is committed in the order it had; any other refusal is the end of the store.
func (s *Sequencer) write() {
	for len(s.batch.Ops) > 0 {
		err := s.store.Commit(context.Background(), &s.batch)
		if err == nil {
			s.counts.batches.Add(1)
			return
		}
		var refused *store.BatchError
		if !errors.As(err, &refused) || !lost(refused.Err) || refused.Done >= len(s.batch.Ops) {
			s.fail(err)
			return
		}
		s.leaveOut(refused.Done)
	}
}

// leaveOut drops the key of the refused operation from what is left of the batch. A session that came back to this node may have two
// views here for a moment: the epoch says which is meant.
func (s *Sequencer) leaveOut(done int) {
	refused := s.batch.Ops[done]
	for i := range s.batch.Ops[:done] {
		op := &s.batch.Ops[i]
		if v := s.viewOf(op); v != nil {
			v.durable = op.Head + uint64(op.Append.Len())
		}
	}
	s.batch.Ops = slices.DeleteFunc(slices.Clone(s.batch.Ops[done:]), func(op store.Op) bool {
		return op.Key == refused.Key && op.Epoch == refused.Epoch
	})
	if v := s.viewOf(&refused); v != nil {
		s.loseView(v)
		return
	}
	i := slices.IndexFunc(s.sealed, func(p seal) bool { return p.log != nil && p.log.key == refused.Key })
	if i < 0 {
		return
	}
	l := s.sealed[i].log
	s.sealed[i].log = nil
	l.lose()
	s.renumber(l)
}

func (s *Sequencer) viewOf(op *store.Op) *View {
	if op.Key.Kind != store.KindSession {
		return nil
	}
	for _, v := range s.touched {
		if v.key == op.Key && v.epoch == op.Epoch {
			return v
		}
	}
	return nil
}

// renumber makes the views' part of the batch again, without a log that was lost. Nobody has seen these numbers yet.
//
// Invariant: a batch with records of logs holds nothing of views but spans and inline records, all of which are pending;
// attaches and detaches are committed with nothing staged.
func (s *Sequencer) renumber(without *Log) {
	s.batch.Ops = slices.DeleteFunc(s.batch.Ops, func(op store.Op) bool { return op.Key.Kind == store.KindSession })
	for _, v := range s.touched {
		if !v.lost {
			v.renumber(without)
			v.seal(&s.batch)
		}
	}
}

func (v *View) renumber(without *Log) {
	k := slices.IndexFunc(v.pending, func(e entry) bool { return e.rec > v.durable })
	if k < 0 {
		k = len(v.pending)
	}
	again := slices.Clone(v.pending[k:])
	v.pending = v.pending[:k]
	v.next = v.published // only the holder of the baton changes it
	if k > 0 {
		v.next = v.pending[k-1].last()
	}
	v.records, v.sealed, v.slab = v.durable, v.durable, nil
	v.named = false // published as any other batch; the trim waits for the next
	for _, a := range v.logs {
		if a.first.Load() > v.next {
			a.first.Store(0)
		}
	}
	if a := v.logs[without]; a != nil {
		a.seen = min(a.seen, without.Committed())
	}
	for i := range again {
		switch e := &again[i]; {
		case e.log == without || e.of == without:
			if e.log == nil && e.idx0 == 0 {
				v.lagging.Store(false) // it was not told after all
			}
		case e.log != nil:
			v.span(e.log, e.idx0, e.idx0+e.n-1, e.bytes)
		default:
			v.inline(e.of, e.idx0, e.inline)
		}
	}
}

// loseView ends a view whose session is another node's. What was published stays readable to nobody: the link ends. The caller
// holds the baton.
func (s *Sequencer) loseView(v *View) {
	if v.lost {
		return
	}
	v.lost = true
	for l := range v.logs {
		v.part(l)
	}
	clear(v.pending)
	v.pending = v.pending[:0]
	v.mu.Lock()
	v.failed = ErrLost
	waker := v.waker
	v.mu.Unlock()
	if waker != nil {
		waker.Wake()
	}
}

// lose makes the log one that another node writes: what it has not committed never was, and what follows comes by Load.
func (l *Log) lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed, l.remote, l.closed = ErrLost, true, false
	l.notes, l.row, l.snapshot, l.alt = nil, nil, nil, nil
	l.records, l.events, l.sealed = l.flushed, l.committed, l.committed
	l.staged, l.gates = 0, GateNone
	for k := len(l.slabs) - 1; k >= 0 && l.slabs[k].last() > l.committed; k-- {
		if s := l.slabs[k]; s.idx0 <= l.committed {
			l.slabs[k] = s.upTo(l.committed)
			break
		}
		l.slabs = l.slabs[:k]
	}
	if k := len(l.slabs) - 1; k >= 0 && len(l.slabs[k].ends) == 0 {
		l.slabs = l.slabs[:k]
	}
	if r, ok := l.readLocked(l.events, 1); ok && l.events > 0 {
		l.closed = Type(r.record(0)[0]) != TypeEvent
	}
	l.wake()
}

// upTo is the slab without what is above index i and without room for more.
func (s *slab) upTo(i uint64) *slab {
	n := i - s.idx0 + 1
	end := s.ends[n-1]
	return &slab{data: s.data[:end:end], ends: s.ends[:n:n], off: s.off, rec0: s.rec0, idx0: s.idx0}
}

// Abandon ends a view whose session another node has taken over.
func (s *Sequencer) Abandon(v *View) {
	s.lock()
	defer s.unlock()
	s.loseView(v)
}

// Fence ends a log's writing, for another node owns the job or is about to. It does nothing to a log that another node writes.
func (s *Sequencer) Fence(l *Log) {
	s.lock()
	defer s.unlock()
	if !l.Remote() {
		l.lose()
	}
}

// Lost says whether the view's session was found to be another node's.
func (v *View) Lost() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return errors.Is(v.failed, ErrLost)
}

// Remote says whether another node writes the log.
func (l *Log) Remote() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.remote
}

// Owner returns the key and the epoch that the log is written with.
func (l *Log) Owner() (store.Key, store.Epoch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.key, l.epoch
}

// Owner returns the key and the epoch that the view is written with.
func (v *View) Owner() (store.Key, store.Epoch) { return v.key, v.epoch }
