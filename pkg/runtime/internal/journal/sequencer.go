package journal

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// framePrefixMax bounds what stands before the tail of a sequenced frame: fixed text, a session id and a number.
const framePrefixMax = 512

// Limits bounds what the journal keeps and stages; all are bytes.
type Limits struct {
	FrameBytes     int   // of one frame
	StagedBytes    int   // staged and uncommitted, of one log; past it Append waits
	EmittedBytes   int64 // of all events of one log, ever; 0 is no bound
	LogBytes       int   // committed and kept, of one log; past it the oldest records go
	UnwrittenBytes int   // published and not written, of one view; past it the view is overrun
	ViewBytes      int   // written and not acknowledged, of one view; past it the oldest numbers go
	LagEvents      int   // numbers a client that acknowledges may lag behind before it is told of back pressure
}

// Sequencer orders everything that happens in one store. See the package comment.
type Sequencer struct {
	// Private says that nobody else will ever read the store. It is set before the first use.
	Private bool
	// Fetched, if not nil, is told of each job whose log was read into memory again, with no lock held. It is set before the first use.
	Fetched func(jobID string)

	store       store.Store
	limits      Limits
	trimRecords uint64
	slow        bool        // commits take their time: see nudge
	away        atomic.Bool // a goroutine is committing
	counts      counts

	run     sync.Mutex // the baton: held by whoever runs batches
	batch   store.Batch
	sealed  []seal
	touched []*View
	work    []*Log

	mu      sync.Mutex
	dirty   []*Log
	pending atomic.Bool // dirty is not empty
	joints  []*joint    // callers that wait to do something together

	failed atomic.Pointer[error] // set once; the store cannot be trusted after it
	broken chan struct{}         // closed then
}

type seal struct {
	log     *Log
	events  uint64
	records uint64
	bytes   int // of numbered records
	staged  int // of all
}

// New returns a sequencer for a store nobody else sequences the keys of.
func New(s store.Store, limits Limits) *Sequencer {
	return &Sequencer{store: s, limits: limits, trimRecords: defaultTrimRecords, slow: s.Level() > store.Volatile, broken: make(chan struct{})}
}

// Failed is closed once the store has failed: what was not committed by then is shown to nobody, and nothing is recorded any more.
func (s *Sequencer) Failed() <-chan struct{} { return s.broken }

// Err returns why the store has failed, nil while it has not.
func (s *Sequencer) Err() error {
	if p := s.failed.Load(); p != nil {
		return *p
	}
	return nil
}

func (s *Sequencer) fail(err error) {
	if s.failed.CompareAndSwap(nil, &err) {
		close(s.broken)
	}
}

// Commit does one operation outside of the order of the sequencer, on a key it has no log or view of. Any error but that the key is not
// the caller's, or is there, is the end of the store.
func (s *Sequencer) Commit(op *store.Op) error {
	if err := s.Err(); err != nil {
		return err
	}
	err := s.store.Commit(context.Background(), &store.Batch{Ops: []store.Op{*op}}) // half done is worse than late
	if err != nil && !lost(err) && !errors.Is(err, store.ErrExists) {
		s.fail(err)
	}
	return err
}

func (s *Sequencer) push(l *Log) {
	s.mu.Lock()
	s.dirty = append(s.dirty, l)
	s.mu.Unlock()
	s.pending.Store(true)
}

// kick runs batches until nothing is staged, or leaves that to whoever holds the baton: it looks again after letting go.
func (s *Sequencer) kick() {
	for s.pending.Load() && s.run.TryLock() {
		s.drainAndLetGo()
	}
}

func (s *Sequencer) drainAndLetGo() {
	defer s.run.Unlock()
	s.drain()
}

// lock takes the baton with nothing staged, so that what the caller does next has a place in the order.
func (s *Sequencer) lock() {
	s.run.Lock()
	s.drain()
}

func (s *Sequencer) unlock() {
	s.run.Unlock()
	s.kick()
}

func (s *Sequencer) drain() {
	for s.pending.Load() {
		s.mu.Lock()
		s.work, s.dirty = s.dirty, s.work[:0]
		s.pending.Store(false)
		s.mu.Unlock()
		for _, l := range s.work {
			s.seal(l)
		}
		clear(s.work)
		s.commit()
	}
}

// seal moves what a log has staged into the batch and numbers it in each view.
func (s *Sequencer) seal(l *Log) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dirty = false
	if err := s.Err(); err != nil {
		l.failed = err
		l.wake()
		return
	}
	from, to := l.sealed+1, l.events
	bytes, notes := s.sealRecords(l)
	for _, v := range *l.views.Load() {
		if to >= from {
			v.extend(l, from, to, l.gates, bytes)
			s.touch(v)
		}
	}
	l.sealed, l.gates = to, GateNone
	s.sealed = append(s.sealed, seal{l, to, l.records, bytes, bytes + notes})
}

// sealRecords appends the operations for (l.sealed, l.events] and the staged notes, in the order they were staged.
func (s *Sequencer) sealRecords(l *Log) (bytes, notes int) {
	if l.remote {
		return l.bytes(l.sealed+1, l.events), 0
	}
	head, next := l.flushed, l.sealed+1
	op := func(seg store.Segment) {
		s.batch.Ops = append(s.batch.Ops, store.Op{Key: l.key, Epoch: l.epoch, Head: head, Append: seg})
		head += uint64(seg.Len())
	}
	for head < l.records {
		if len(l.notes) > 0 && l.notes[0].rec == head+1 {
			n := l.notes[0]
			l.notes = l.notes[1:]
			notes += len(n.data)
			op(store.Segment{First: n.rec, Ends: n.ends, Data: n.data})
			continue
		}
		sl := l.find(next)
		to := min(l.events, sl.last())
		op(sl.segment(next, to))
		bytes += sl.bytes(next, to)
		next = to + 1
	}
	if last := len(s.batch.Ops) - 1; l.flushed < l.records {
		s.batch.Ops[last].Row, s.batch.Ops[last].Snapshot = l.row, l.snapshot
		l.row, l.snapshot = nil, nil
	}
	return bytes, notes
}

func (s *Sequencer) touch(v *View) {
	if !v.touched {
		v.touched = true
		s.touched = append(s.touched, v)
	}
}

// commit makes the batch durable and publishes it: logs before views, so that a number is never seen without its record.
func (s *Sequencer) commit() {
	for _, v := range s.touched {
		v.checkLag()
		v.name()
		v.seal(&s.batch)
	}
	if s.Err() == nil {
		s.write()
	}
	failed := s.Err()
	clear(s.batch.Ops)
	s.batch.Ops = s.batch.Ops[:0]
	for i := range s.sealed {
		s.publish(&s.sealed[i], failed)
	}
	clear(s.sealed)
	s.sealed = s.sealed[:0]
	for _, v := range s.touched {
		v.touched = false
		if before := v.publish(failed); before > 0 {
			_ = s.store.Trim(context.Background(), v.key, v.epoch, before) // it is trimmed with the next batch otherwise
		}
	}
	clear(s.touched)
	s.touched = s.touched[:0]
}

func (s *Sequencer) publish(p *seal, failed error) {
	l := p.log
	if l == nil {
		return // lost
	}
	l.mu.Lock()
	if failed != nil {
		l.failed = failed
	} else {
		s.counts.add(p)
		l.committed, l.flushed = p.events, p.records
		l.staged -= p.staged
		l.retained += p.bytes
	}
	l.wake()
	before := uint64(0)
	if l.retained > s.limits.LogBytes {
		before = l.drop(s.limits.LogBytes)
	}
	l.settle()
	remote := l.remote
	l.mu.Unlock()
	if before > 0 && !remote {
		_ = s.store.Trim(context.Background(), l.key, l.epoch, before)
	}
}
