package journal

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// shelf says what a log would hold whose records are only in the store. Such a log has ended: nothing is added to it.
type shelf struct {
	first uint64 // the oldest index kept
	bytes int    // of the records kept
}

// Shelve makes a remote log of which nothing was loaded one that this node keeps: of a job that ended at index last, with so many bytes. Its
// records are read when somebody wants them. The epoch is the one to remove it with.
func (l *Log) Shelve(ctx context.Context, epoch store.Epoch, head *store.Head, last uint64, bytes int) error {
	first := uint64(1)
	if head.First > 1 { // what is trimmed is not told elsewhere
		slabs, _, err := l.readAll(ctx, head.First, 1)
		if err != nil {
			return err
		}
		if first = last + 1; len(slabs) > 0 {
			first = slabs[0].idx0
		}
	}
	l.loading.Lock()
	defer l.loading.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.remote || l.records != 0 {
		return ErrLost
	}
	l.remote, l.failed, l.closed, l.epoch = false, nil, true, epoch
	l.records, l.flushed = head.Records, head.Records
	l.events, l.sealed, l.committed = last, last, last
	l.shelf = &shelf{first: first, bytes: bytes}
	return nil
}

// Unload gives back the memory of a log that has ended and is committed; Fetch brings it back. It says how much that was.
func (l *Log) Unload() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed || l.remote || l.failed != nil || l.flushed < l.records || len(l.slabs) == 0 {
		return 0
	}
	n := l.retained
	l.shelf = &shelf{first: l.slabs[0].idx0, bytes: n}
	l.slabs, l.retained = nil, 0
	return n
}

// Shelved says whether the records are in the store only.
func (l *Log) Shelved() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shelf != nil
}

// Fetch brings the records of a shelved log into memory; it does nothing for any other.
func (l *Log) Fetch(ctx context.Context) error {
	l.fetching.Lock()
	defer l.fetching.Unlock()
	if !l.Shelved() {
		return nil
	}
	slabs, bytes, err := l.readAll(ctx, 1, math.MaxInt)
	if err != nil {
		return err
	}
	l.mu.Lock()
	if l.shelf == nil {
		l.mu.Unlock()
		return nil
	}
	if len(slabs) == 0 || slabs[len(slabs)-1].last() != l.events {
		l.mu.Unlock()
		return fmt.Errorf("%w: %s does not end at index %d", ErrDamaged, l.key, l.events)
	}
	l.slabs, l.retained, l.shelf = slabs, bytes, nil
	l.mu.Unlock()
	if l.seq.Fetched != nil {
		l.seq.Fetched(l.jobID)
	}
	return nil
}

// readAll reads numbered records from a position in the store on, a number of them at least if there are so many.
func (l *Log) readAll(ctx context.Context, from uint64, atLeast int) (slabs []*slab, bytes int, err error) {
	index := uint64(0)
	for n := 0; n < atLeast; {
		segs, err := l.seq.store.Read(ctx, l.key, from, loadBytes)
		var trimmed *store.TrimmedError
		if errors.As(err, &trimmed) {
			from, slabs, bytes, index, n = trimmed.First, nil, 0, 0, 0
			continue
		}
		if err != nil || len(segs) == 0 {
			return slabs, bytes, err
		}
		before := from
		for k := range segs {
			g := &segs[k]
			for i := range g.Len() {
				rec := g.Record(i)
				if len(rec) == 0 || Type(rec[0]) < typeControl && len(rec) < recordHead {
					return nil, 0, fmt.Errorf("%w: record %d of %s", ErrDamaged, g.First+uint64(i), l.key)
				}
				if g.First+uint64(i) < from || Type(rec[0]) >= typeControl {
					continue
				}
				if index++; n == 0 {
					if first, ok := indexIn(rec[recordHead:], l.jobID); ok {
						index = first
					}
				}
				slabs = bind(slabs, g, i, index)
				bytes += len(rec)
				n++
			}
			from = g.First + uint64(g.Len())
		}
		if from <= before {
			return nil, 0, fmt.Errorf("%w: record %d of %s is not there", ErrDamaged, before, l.key)
		}
	}
	return slabs, bytes, nil
}
