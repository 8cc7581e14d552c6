package journal

import "github.com/arcpkit/arcp/pkg/runtime/store"

const (
	slabMin  = 1 << 10  // bytes of a job's first slab
	slabMax  = 64 << 10 // bytes of a busy job's slabs; a larger record gets a slab of its own
	slabEnds = 96       // bytes of slab per end mark, about the smallest record there is
)

// slab is memory for consecutive numbered records of one log.
//
// Invariant: bytes below the last end mark never change, and data and ends are never moved to other memory once they
// hold a staged record, so a reader may keep slices of them without a lock.
type slab struct {
	data []byte
	ends []uint32
	off  uint32 // of the first record; not 0 only in memory that a store handed out
	rec0 uint64 // store position of the first record
	idx0 uint64 // log index of the first record
}

func newSlab(size int, rec0, idx0 uint64) *slab {
	return &slab{data: make([]byte, 0, size), ends: make([]uint32, 0, max(8, size/slabEnds)), rec0: rec0, idx0: idx0}
}

// last returns the index of the newest record, idx0-1 when the slab is empty.
func (s *slab) last() uint64 { return s.idx0 + uint64(len(s.ends)) - 1 }

func (s *slab) start(i uint64) uint32 {
	if i == s.idx0 {
		return s.off
	}
	return s.ends[i-s.idx0-1]
}

// segment returns records from..to, which the slab holds, as the store wants them.
func (s *slab) segment(from, to uint64) store.Segment {
	hi := to - s.idx0 + 1
	return store.Segment{
		First: s.rec0 + (from - s.idx0),
		Off:   s.start(from),
		Ends:  s.ends[from-s.idx0 : hi],
		Data:  s.data[:s.ends[hi-1]],
	}
}

func (s *slab) bytes(from, to uint64) int { return int(s.ends[to-s.idx0] - s.start(from)) }
