package journal

import (
	"sync"
	"sync/atomic"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Waker is told that a view has something to write. Wake must not block and must not call into the journal.
type Waker interface{ Wake() }

// View is one session's numbered reading of logs: from 1, each number once, gap-free, in the order of the sequencer.
// It holds spans of logs, not frames, and outlives the links that read it.
//
// The baton guards what numbers; mu guards what readers read.
type View struct {
	seq   *Sequencer
	key   store.Key
	epoch store.Epoch
	gates Gate

	// Guarded by the baton.
	next    uint64 // newest number given
	records uint64 // committed under the key
	logs    map[*Log]*attachment
	slots   uint32
	slab    *slab
	sealed  uint64 // newest record of slab handed to a batch
	durable uint64 // newest record committed
	pending []entry
	touched bool
	lost    bool   // another node owns the session: nothing more is numbered
	trimmed uint64 // newest record trimmed
	trimTo  uint64 // newest record to trim once the batch that names what outlives it is committed
	named   bool   // that batch is the one being made
	names   uint64 // records it took: as many again must be needless before the next, or a view of many logs would do little else

	prefix [4][]byte // of a frame, by Type

	// busy says that a writer is about to call AppendFrames again, which commits what is staged by then.
	busy    atomic.Bool
	acks    atomic.Bool // the client has acknowledged something
	lagging atomic.Bool // it was told of back pressure and has not caught up
	// crowded is 0 while the reader keeps up or there is none, and otherwise goes up with what it writes.
	crowded atomic.Uint64
	acked   atomic.Uint64 // newest number the client says it has

	mu         sync.Mutex
	entries    []entry // retained, oldest first
	gone       uint64  // records of the view that nothing retained needs
	positioned []positioned
	pruned     uint64 // the number that the client had when positioned was looked through last
	answers    int    // bytes of the positioned frames that are no accepted
	scan       int    // how many entries there must be before shed looks at them again
	at         int    // entry the writer reads next
	published  uint64 // newest number committed
	written    uint64 // newest number handed to the writer
	unwritten  int    // bytes published and not written
	allowed    int    // of those, what a resume or a replay brought: it does not count against the reader
	kept       int    // bytes written and retained
	progress   uint64 // bytes ever written, from 1
	held       int    // the writer gets nothing until it is 0
	overrun    bool   // the reader is too slow and reads nothing more
	failed     error
	generation uint64 // of the reader; an older one reads nothing more
	waker      Waker
}

// attachment is a log in a view.
type attachment struct {
	slot  uint32
	seen  uint64        // newest index that was numbered or left out; guarded by the baton
	first atomic.Uint64 // its first number in the view; 0 while it has none
}

// entry is a span: numbers seq0..seq0+n-1 stand for log records idx0..idx0+n-1, or for the one inline record.
type entry struct {
	log    *Log
	seq0   uint64
	idx0   uint64
	n      uint64
	bytes  int
	rec    uint64 // newest record of the view that tells of it
	slot   uint32 // 0 when no log is behind it
	inline []byte // two bytes of head and the tail, when log is nil
	of     *Log   // an inline one's: without what the log holds at idx0 it would not be
}

func (e *entry) last() uint64 { return e.seq0 + e.n - 1 }

// Entries are merged up to this many bytes, so that eviction by whole entries stays fine-grained.
const entryBytes = 64 << 10

func newView(s *Sequencer, key store.Key, epoch store.Epoch, gates Gate) *View {
	v := &View{seq: s, key: key, epoch: epoch, gates: gates | GateReveal, logs: map[*Log]*attachment{}}
	for t := TypeEvent; t <= TypeError; t++ {
		v.prefix[t] = arcp.AppendSequencedPrefix(nil, messageOf(t), key.ID)
	}
	return v
}

// extend numbers records from..to of l, leaving out what the session did not negotiate. The caller holds the baton and l.mu.
func (v *View) extend(l *Log, from, to uint64, gates Gate, bytes int) {
	if gates&^v.gates == 0 {
		v.span(l, from, to, bytes)
		return
	}
	for from <= to {
		r, ok := l.readLocked(from, to-from+1)
		if !ok {
			return
		}
		for i := range r.ends {
			rec := r.record(i)
			switch {
			case Gate(rec[1])&^v.gates == 0:
				v.span(l, from, from, len(rec))
			case Type(rec[0]) != TypeEvent && l.alt != nil:
				v.inline(l, from, l.alt)
			}
			from++
		}
	}
	a := v.logs[l]
	a.seen = max(a.seen, to)
}

func (v *View) span(l *Log, from, to uint64, bytes int) {
	n := to - from + 1
	a := v.logs[l]
	if a.first.Load() == 0 {
		a.first.Store(v.next + 1)
	}
	a.seen = max(a.seen, to)
	v.record(recordSpan, uint64(a.slot), v.next+1, from, n)
	// One already handed to the batch is not added to, so that each entry stands or falls with the records it has there.
	if k := len(v.pending) - 1; k >= 0 && v.pending[k].continues(l, from) && v.pending[k].rec > v.sealed {
		v.pending[k].n += n
		v.pending[k].bytes += bytes
		v.pending[k].rec = v.records
	} else {
		v.pending = append(v.pending, entry{log: l, seq0: v.next + 1, idx0: from, n: n, bytes: bytes, rec: v.records, slot: a.slot})
	}
	v.next += n
}

func (e *entry) continues(l *Log, from uint64) bool {
	return e.log == l && e.idx0+e.n == from && e.bytes < entryBytes
}

// inline numbers a record of the view's own. With a log it stands for what that has at index, or, for index 0, speaks of the log.
func (v *View) inline(of *Log, index uint64, rec []byte) {
	v.next++
	slot := uint32(0)
	if a := v.logs[of]; a != nil {
		slot = a.slot
	}
	v.recordInline(v.next, slot, index, rec)
	v.pending = append(v.pending, entry{
		seq0: v.next, idx0: index, n: 1, bytes: len(rec), rec: v.records, slot: slot, inline: rec, of: of,
	})
}

// publish lets the writer have what was numbered in the batch just committed, and returns the first record of the view
// that is still needed when enough of those before it are not. The caller holds the baton.
func (v *View) publish(failed error) (before uint64) {
	if v.lost {
		return 0
	}
	v.mu.Lock()
	if failed != nil {
		v.failed = failed
	}
	for i := range v.pending {
		v.push(&v.pending[i])
	}
	v.published = v.next
	if v.waker != nil && v.unwritten > v.seq.limits.UnwrittenBytes+v.allowed {
		v.overrun = true
	}
	v.crowd()
	if v.waker == nil {
		v.shed()
	}
	if len(v.entries) == 0 {
		v.gone = v.sealed // attaches and detaches alone: what is attached is named again before they are trimmed
	}
	switch {
	case failed != nil:
	case v.named:
		v.named, v.trimmed = false, v.trimTo
		before = v.trimTo + 1
	case v.gone > v.trimmed+v.seq.trimRecords+2*v.names:
		v.trimTo = v.gone
	}
	v.durable = v.sealed
	waker := v.waker
	v.mu.Unlock()
	clear(v.pending)
	v.pending = v.pending[:0]
	if waker != nil {
		waker.Wake()
	}
	return before
}

// defaultTrimRecords is how many records of a view may be needless before they are trimmed.
const defaultTrimRecords = 4096

func (v *View) push(e *entry) {
	v.unwritten += e.bytes
	if k := len(v.entries) - 1; k >= 0 && v.entries[k].log != nil && v.entries[k].continues(e.log, e.idx0) {
		v.entries[k].n += e.n
		v.entries[k].bytes += e.bytes
		v.entries[k].rec = e.rec
		return
	}
	v.entries = append(v.entries, *e)
	v.entries[len(v.entries)-1].of = nil // it has its number: the log need not be kept for it
}

// shedEntries is how few entries are never looked through.
const shedEntries = 64

// shed forgets what nobody can resume from any more while there is no reader: all up to the newest entry that its log has dropped. An
// emitter without end would pile up entries for as long as the session is parked. The caller holds v.mu.
func (v *View) shed() {
	if len(v.entries) < max(v.scan, shedEntries) {
		return
	}
	k := len(v.entries)
	for ; k > 0; k-- {
		if e := &v.entries[k-1]; e.log != nil && e.log.First() >= e.idx0+e.n {
			break
		}
	}
	for i := range v.entries[:k] {
		e := &v.entries[i]
		if e.last() <= v.written {
			v.kept = max(0, v.kept-e.bytes)
		} else {
			v.unwritten = max(0, v.unwritten-e.bytes)
			v.overrun = true // a reader that is just being given the view has lost it
		}
		v.gone = e.rec
		*e = entry{}
	}
	if k > 0 {
		v.at = max(0, v.at-k)
		v.entries = v.entries[k:]
		v.prune()
	}
	v.scan = 2 * len(v.entries)
}
