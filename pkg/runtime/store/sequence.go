package store

import (
	"sort"
	"time"
)

// sequence is what the memory engine keeps under one key. The engine's lock guards it.
type sequence struct {
	key      Key
	epoch    Epoch
	owner    NodeID
	node     *memoryNode // the owner if it had joined; a later node of the same ID is another
	released bool

	records  uint64
	segments []Segment // retained; contiguous, ending at records

	snapshot   []byte
	snapshotAt uint64
	row        *row
	expires    time.Time

	watchers []*memoryWatcher
	box      mailbox
}

func (s *sequence) head() Head {
	return Head{
		Epoch: s.epoch, Owner: s.owner, Records: s.records, First: s.first(),
		Snapshot: s.snapshot, SnapshotAt: s.snapshotAt,
	}
}

func (s *sequence) first() uint64 {
	if len(s.segments) == 0 {
		return s.records + 1
	}
	return s.segments[0].First
}

func (s *sequence) expired() bool {
	return !s.expires.IsZero() && !time.Now().Before(s.expires)
}

// append adds a checked segment.
func (s *sequence) append(a *Segment) {
	if n := len(s.segments); n == 0 || !s.segments[n-1].extend(a) {
		s.segments = append(s.segments, *a)
	}
	s.records += uint64(len(a.Ends))
	for _, w := range s.watchers {
		w.tell(s.records)
	}
}

// extend makes s hold the records of next as well, when next lies right behind s in the same memory, and says whether it did.
// Then a log that is committed one record at a time still has one segment a slab, and committing allocates nothing.
//
// Only headers change, and readers hold copies of those: the bytes they can see stay as they are. next is sound, so its data reaches
// over all that s holds.
func (s *Segment) extend(next *Segment) bool {
	n := len(s.Ends)
	if next.Off != s.Ends[n-1] || cap(s.Ends)-n < len(next.Ends) || &s.Ends[:n+1][n] != &next.Ends[0] {
		return false
	}
	if cap(s.Data) == 0 || cap(next.Data) == 0 || &s.Data[:1][0] != &next.Data[:1][0] {
		return false
	}
	s.Ends = s.Ends[:n+len(next.Ends)]
	s.Data = next.Data
	return true
}

// sound says whether every record of the segment lies inside its data.
func (s *Segment) sound() bool {
	last := s.Off
	for _, end := range s.Ends {
		if end < last {
			return false
		}
		last = end
	}
	return int(last) <= len(s.Data)
}

func (s *Segment) bytes() int {
	return int(s.Ends[len(s.Ends)-1] - s.Off)
}

func (s *sequence) read(from uint64, maxBytes int) ([]Segment, error) {
	from = max(from, 1)
	if from > s.records {
		return nil, nil
	}
	if first := s.first(); from < first {
		return nil, &TrimmedError{First: first}
	}
	start := s.holding(from)
	end, size := start, 0
	for end < len(s.segments) && (end == start || size < maxBytes) {
		size += s.segments[end].bytes()
		end++
	}
	return append([]Segment(nil), s.segments[start:end]...), nil
}

// holding returns the index of the segment with the record at position, or the number of segments when it is past the end.
func (s *sequence) holding(position uint64) int {
	return sort.Search(len(s.segments), func(i int) bool {
		g := &s.segments[i]
		return g.First+uint64(len(g.Ends)) > position
	})
}

func (s *sequence) trim(before uint64) {
	n := s.holding(before)
	clear(s.segments[:n])
	s.segments = s.segments[n:]
}

// gone tells all who wait on the key that it, or the store, is no more.
func (s *sequence) gone() {
	for _, w := range s.watchers {
		w.signal()
	}
	s.released = true
	s.box.wakeAll()
}
