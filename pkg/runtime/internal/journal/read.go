package journal

// run is consecutive numbered records in one slab; it may be read without a lock.
type run struct {
	data  []byte
	ends  []uint32
	start uint32
}

// record returns record i of the run, 0-based.
func (r *run) record(i int) []byte {
	start := r.start
	if i > 0 {
		start = r.ends[i-1]
	}
	return r.data[start:r.ends[i]]
}

// read returns up to n records from index from, as many as stand together in one slab; false when they were dropped.
func (l *Log) read(from, n uint64) (run, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.readLocked(from, n)
}

func (l *Log) readLocked(from, n uint64) (run, bool) {
	s := l.find(from)
	if s == nil {
		return run{}, false
	}
	to := min(from+n-1, s.last())
	hi := to - s.idx0 + 1
	return run{data: s.data, ends: s.ends[from-s.idx0 : hi], start: s.start(from)}, true
}

// find returns the slab holding index i, or nil when it is not kept.
func (l *Log) find(i uint64) *slab {
	lo, hi := 0, len(l.slabs)
	if hi > 0 && i >= l.slabs[hi-1].idx0 {
		lo = hi - 1
	}
	for lo < hi {
		mid := (lo + hi) / 2
		switch s := l.slabs[mid]; {
		case i < s.idx0:
			hi = mid
		case i > s.last():
			lo = mid + 1
		default:
			return s
		}
	}
	return nil
}

// First returns the index of the oldest numbered record kept; one past the newest when none is.
func (l *Log) First() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.shelf != nil:
		return l.shelf.first
	case len(l.slabs) == 0:
		return l.events + 1
	}
	return l.slabs[0].idx0
}

// Records calls yield with each numbered record from index from to the newest committed: its type and its frame's tail.
func (l *Log) Records(from uint64, yield func(index uint64, t Type, tail []byte) bool) error {
	to := l.Committed()
	for from <= to {
		r, ok := l.read(from, to-from+1)
		if !ok {
			return ErrOverrun
		}
		for i := range r.ends {
			rec := r.record(i)
			if !yield(from, Type(rec[0]), rec[recordHead:]) {
				return nil
			}
			from++
		}
	}
	return nil
}

// drop forgets the oldest slabs while more than cap bytes are kept, and returns the first store position still needed.
func (l *Log) drop(limit int) (before uint64) {
	k := 0
	for k < len(l.slabs)-1 && l.retained > limit && l.slabs[k].last() <= l.committed {
		l.retained -= l.slabs[k].bytes(l.slabs[k].idx0, l.slabs[k].last())
		k++
	}
	if k == 0 {
		return 0
	}
	l.slabs = append(l.slabs[:0:0], l.slabs[k:]...)
	return l.slabs[0].rec0
}
