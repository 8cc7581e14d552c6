package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// loadBytes is about how much of a remote log one read of the store brings.
const loadBytes = 1 << 20

// NewRemote returns the log of a job that another node runs. It holds what Load brings, and nobody here writes it.
func (s *Sequencer) NewRemote(jobID, traceID string) *Log {
	l := s.newLog(store.Key{Kind: store.KindJob, ID: jobID}, traceID)
	l.remote, l.failed = true, ErrLost
	return l
}

// Gone returns the log of a job that nobody keeps: no view can read any of it.
func (s *Sequencer) Gone(jobID string) *Log {
	l := s.NewRemote(jobID, "")
	l.events = 1<<63 - 1
	l.sealed, l.committed = l.events, l.events
	return l
}

// Alt makes the record that stands for a terminal in views that lack its gate.
type Alt func(l *Log, t Type, tail []byte) []byte

// Load brings into a remote log what the store has of it by now, without a copy. Views that are attached get it numbered. It may be
// called from several goroutines; ctx bounds the reading. store.ErrNotFound says that the job is no more.
func (l *Log) Load(ctx context.Context, alt Alt) error {
	l.loading.Lock()
	defer l.loading.Unlock()
	for l.Remote() {
		segs, err := l.seq.store.Read(ctx, l.key, l.position(), loadBytes)
		var trimmed *store.TrimmedError
		switch {
		case errors.As(err, &trimmed):
			l.skip(trimmed.First)
			continue
		case err != nil:
			return err
		case len(segs) == 0:
			return nil
		}
		for i := range segs {
			if err := l.feed(&segs[i], alt); err != nil {
				return err
			}
		}
		l.seq.kick()
	}
	return nil
}

// position returns where the next record to load stands in the store.
func (l *Log) position() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records + 1
}

// skip goes on behind what its owner has trimmed. A view that was to be given some of that has fallen too far behind.
func (l *Log) skip(first uint64) {
	l.seq.Settle()
	l.mu.Lock()
	l.records = first - 1
	l.slabs, l.retained = nil, 0
	l.mu.Unlock()
	for _, v := range *l.views.Load() {
		v.mu.Lock()
		v.overrun = true
		waker := v.waker
		v.mu.Unlock()
		if waker != nil {
			waker.Wake()
		}
	}
}

func (l *Log) feed(g *store.Segment, alt Alt) error {
	for i := range g.Len() {
		rec := g.Record(i)
		if len(rec) == 0 || Type(rec[0]) < typeControl && len(rec) < recordHead {
			return fmt.Errorf("%w: record %d of %s", ErrDamaged, g.First+uint64(i), l.key)
		}
		if t := Type(rec[0]); (t == TypeResult || t == TypeError) && Gate(rec[1]) != GateNone && alt != nil {
			l.seq.Settle() // what precedes it is readable then
			other := alt(l, t, rec[recordHead:])
			l.mu.Lock()
			l.alt = other
			l.mu.Unlock()
		}
		l.mu.Lock()
		l.take(g, i, rec)
		l.mu.Unlock()
	}
	return nil
}

// take adds record i of a segment unless it is there already.
func (l *Log) take(g *store.Segment, i int, rec []byte) {
	at := g.First + uint64(i)
	if at <= l.records {
		return
	}
	l.records = at
	if t := Type(rec[0]); t >= typeControl {
		if t == TypeCancel && l.cancel == nil {
			reason := string(rec[1:])
			l.cancel = &reason
		}
		if t >= typeState {
			l.keepState(t, rec[1:])
		}
		return
	}
	if n, ok := indexIn(rec[recordHead:], l.jobID); ok && len(l.slabs) == 0 && n > l.events+1 {
		l.events, l.sealed, l.committed = n-1, n-1, n-1 // what was before it is trimmed
	}
	l.slabs = bind(l.slabs, g, i, l.events+1)
	l.events++
	l.staged += len(rec)
	l.gates |= Gate(rec[1])
	l.closed = Type(rec[0]) != TypeEvent
	l.mark()
}

// bind makes record i of the segment the newest of the last slab when it follows there in the same memory, and the first of
// a new one otherwise.
func bind(slabs []*slab, g *store.Segment, i int, index uint64) []*slab {
	at, end := g.First+uint64(i), g.Ends[i]
	if k := len(slabs) - 1; k >= 0 {
		s := slabs[k]
		if s.rec0 >= g.First && s.rec0+uint64(len(s.ends)) == at {
			if ends := g.Ends[s.rec0-g.First : i+1 : i+1]; &ends[0] == &s.ends[0] {
				s.ends, s.data = ends, g.Data[:end:end]
				return slabs
			}
		}
	}
	start := g.Off
	if i > 0 {
		start = g.Ends[i-1]
	}
	return append(slabs, &slab{data: g.Data[:end:end], ends: g.Ends[i : i+1 : i+1], off: start, rec0: at, idx0: index})
}

// indexIn returns the index that a record's tail names in its id.
func indexIn(tail []byte, jobID string) (uint64, bool) {
	rest, ok := bytes.CutPrefix(tail, []byte(`,"id":"`+jobID+`.`))
	if !ok {
		return 0, false
	}
	n := bytes.IndexByte(rest, '"')
	if n < 0 {
		return 0, false
	}
	index, err := strconv.ParseUint(string(rest[:n]), 10, 64)
	return index, err == nil
}

// bytes returns how many bytes records from..to take, as far as they are kept, or about how many when they are not here. The caller
// holds l.mu.
func (l *Log) bytes(from, to uint64) (n int) {
	if l.shelf != nil {
		return int(to-from+1) * l.shelf.bytes / int(max(1, l.events-l.shelf.first+1))
	}
	for from <= to {
		s := l.find(from)
		if s == nil {
			return n
		}
		last := min(to, s.last())
		n += s.bytes(from, last)
		from = last + 1
	}
	return n
}

// Follow loads a remote log whenever it grows, and calls moved after each time, until ctx is done, nobody is attached any more or it is no longer remote (nil), or the job is forgotten
// (store.ErrNotFound).
func (l *Log) Follow(ctx context.Context, alt Alt, moved func()) error {
	w, err := l.seq.store.Watch(ctx, l.key, l.position()-1)
	if err != nil {
		return err
	}
	defer w.Close()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.lonely:
			if !l.Watched() || !l.Remote() {
				return nil
			}
		case <-w.Moved():
			if err := l.Load(ctx, alt); err != nil {
				return err
			}
			moved()
		}
	}
}

// Nudge makes Follow look whether anybody is attached.
func (l *Log) Nudge() {
	select {
	case l.lonely <- struct{}{}:
	default:
	}
}

// Watched says whether some view is attached.
func (l *Log) Watched() bool { return len(*l.views.Load()) > 0 }

// Cancelled returns the reason of the first cancel that a loaded log tells of; false when there is none.
func (l *Log) Cancelled() (reason string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel == nil {
		return "", false
	}
	return *l.cancel, true
}

// Terminal returns the last record of a job and its index; false while there is none committed.
func (l *Log) Terminal() (index uint64, t Type, tail []byte, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed || l.committed == 0 || l.committed < l.events {
		return 0, 0, nil, false
	}
	r, ok := l.readLocked(l.events, 1)
	if !ok {
		return 0, 0, nil, false
	}
	rec := r.record(0)
	return l.events, Type(rec[0]), rec[recordHead:], true
}

// Take makes a remote log one that this node writes, at the epoch it was acquired with when it held so many records. ErrLost
// says that not all of them are loaded.
func (l *Log) Take(epoch store.Epoch, records uint64) error {
	l.loading.Lock()
	defer l.loading.Unlock()
	l.seq.lock()
	defer l.seq.unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.remote || l.records != records {
		return ErrLost
	}
	l.remote, l.failed, l.epoch, l.flushed = false, nil, epoch, l.records
	return nil
}

// Cancels waits for what the records of a job after a position tell: true is a cancel, false the end.
func Cancels(ctx context.Context, s store.Store, jobID string, after uint64) (bool, error) {
	key := store.Key{Kind: store.KindJob, ID: jobID}
	w, err := s.Watch(ctx, key, after)
	if err != nil {
		return false, err
	}
	defer w.Close()
	for {
		segs, err := s.Read(ctx, key, after+1, loadBytes)
		var trimmed *store.TrimmedError
		switch {
		case errors.As(err, &trimmed):
			after = trimmed.First - 1
			continue
		case err != nil:
			return false, err
		}
		for i := range segs {
			for k := range segs[i].Len() {
				at := segs[i].First + uint64(k)
				if at <= after {
					continue
				}
				switch t := Type(segs[i].Record(k)[0]); t {
				case TypeCancel, TypeResult, TypeError:
					return t == TypeCancel, nil
				}
				after = at
			}
		}
		if len(segs) > 0 {
			continue
		}
		select {
		case <-w.Moved():
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// Last returns the index of the newest numbered record that the store has of a job, and whether that is its end.
func Last(ctx context.Context, s store.Store, jobID string) (index uint64, over bool, err error) {
	key := store.Key{Kind: store.KindJob, ID: jobID}
	head, err := s.Lookup(ctx, key)
	if err != nil {
		return 0, false, err
	}
	for at := head.Records; at >= head.First && at > 0; {
		segs, err := s.Read(ctx, key, at, 1)
		if err != nil || len(segs) == 0 {
			return 0, false, err
		}
		g := &segs[0]
		for ; at >= g.First; at-- {
			rec := g.Record(int(at - g.First))
			if len(rec) > recordHead && Type(rec[0]) < typeControl {
				index, _ := indexIn(rec[recordHead:], jobID)
				return index, Type(rec[0]) != TypeEvent, nil
			}
		}
	}
	return 0, false, nil
}
