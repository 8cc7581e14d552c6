package journal

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Log is one job's sequence of records. Any number of goroutines may write and read it.
//
// A numbered record is staged (it has its index), then sealed into a batch, then committed and published. Indexes are
// 1-based and count numbered records only.
type Log struct {
	seq     *Sequencer
	key     store.Key
	epoch   store.Epoch
	jobID   string
	traceID string

	views atomic.Pointer[[]*View] // attached; replaced, never changed, and only by the holder of the baton

	mu        sync.Mutex
	slabs     []*slab // oldest first, none empty but the last
	notes     []note  // control records staged, oldest first
	records   uint64  // newest record staged
	events    uint64  // newest numbered record staged
	sealed    uint64  // newest numbered record in a batch
	committed uint64  // newest numbered record published
	flushed   uint64  // newest record committed
	staged    int     // bytes staged and not committed
	retained  int     // bytes of numbered records committed and kept
	gates     Gate    // of the records in (sealed, events]
	dirty     bool    // on the sequencer's list
	closed    bool    // nothing more may be staged
	row       *store.JobRow
	snapshot  []byte // what the store keeps beside the log, from the batch that holds the newest record staged
	alt       []byte // record in place of the last one for views that lack its gate
	failed    error
	moved     chan struct{} // closed when flushed or failed changes; nil when nobody waits
	pacer     pacer
	account   account
	emitted   int64          // bytes of events ever staged
	states    map[Type]state // the newest record of each state; nil without one

	remote   bool          // another node writes the job's records: they come by Load
	cancel   *string       // the reason of a cancel asked for before the log was loaded
	shelf    *shelf        // what is in the store only; nil when all that is kept is here
	lonely   chan struct{} // told when the last view of a remote log is detached
	loading  sync.Mutex    // held over a Load; outside of the baton
	fetching sync.Mutex    // held over a Fetch; inside of the baton
}

type note struct {
	rec  uint64
	data []byte
	ends []uint32
}

// JobID returns the job's id.
func (l *Log) JobID() string { return l.jobID }

// Append stages an event and returns its index. It waits, for no longer than ctx, while the job has more than the cap of
// staged bytes, and a moment now and then for a reader that reads and does not keep up; see pacer. It fails with ErrOver on a closed log, ErrTooLarge, or the encoder's error, and then nothing is staged.
func (l *Log) Append(ctx context.Context, ev *arcp.JobEvent) (uint64, error) {
	l.mu.Lock()
	err := l.waitForRoom(ctx)
	index := l.events + 1
	if err == nil {
		err = l.stageEvent(ev)
	}
	few := l.events-l.sealed < batchEvents && l.staged < batchBytes
	l.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if !few || !l.expected() {
		l.seq.nudge()
	}
	return index, nil
}

// waitForRoom waits until an event may be staged. The caller holds l.mu, which is let go over a wait.
func (l *Log) waitForRoom(ctx context.Context) error {
	if err := l.pace(ctx); err != nil {
		return err
	}
	for l.staged > l.seq.limits.StagedBytes && l.failed == nil && !l.closed {
		if err := l.waitLocked(ctx); err != nil {
			return err
		}
	}
	if err := l.refusal(); err != nil {
		return err
	}
	if most := l.seq.limits.EmittedBytes; most > 0 && l.emitted >= most {
		return ErrFull
	}
	return nil
}

// stageEvent stages one event. The caller holds l.mu.
func (l *Log) stageEvent(ev *arcp.JobEvent) error {
	if l.states != nil {
		l.repeatStates()
	}
	s := l.room(sizeHint(ev))
	mark := len(s.data)
	gate := gateOfEvent(ev)
	out := append(s.data, byte(TypeEvent), byte(gate))
	out, err := arcp.AppendEventTail(out, l.jobID, l.events+1, l.traceID, ev)
	if err != nil {
		return err
	}
	return l.stage(s, mark, out, gate)
}

// How many events of a log, and bytes of them, may wait for a busy writer to commit them on its way back.
const (
	batchEvents = 64
	batchBytes  = 32 << 10
)

// expected says that every view of the log has a writer that will come for more by itself: the events staged in the
// meantime then cost one commit together. A writer that is stuck delays nobody but its own reader, for any other view
// is idle some time, and the emitter commits for itself once batchEvents are staged.
func (l *Log) expected() bool {
	views := *l.views.Load()
	for _, v := range views {
		if !v.busy.Load() {
			return false
		}
	}
	return len(views) > 0
}

// sizeHint is about how long an event's record gets, where that is known without encoding it.
func sizeHint(ev *arcp.JobEvent) int {
	const small = 320
	if c, ok := ev.Body.(*arcp.ResultChunkBody); ok && c.Encoding == arcp.EncodingBase64 {
		return small + len(c.Data)
	}
	return small
}

// Note stages a control record, which has no number and is in no view.
func (l *Log) Note(t Type, data []byte) error {
	l.mu.Lock()
	defer l.seq.kick()
	defer l.mu.Unlock()
	if err := l.refusal(); err != nil {
		return err
	}
	l.stageNote(t, data)
	return nil
}

// stageNote stages a control record. The caller holds l.mu.
func (l *Log) stageNote(t Type, data []byte) {
	rec := append([]byte{byte(t)}, data...)
	l.records++
	l.staged += len(rec)
	l.notes = append(l.notes, note{l.records, rec, []uint32{uint32(len(rec))}})
	if t >= typeState {
		l.keepState(t, data)
	}
	l.mark()
}

// Tell replaces what the store keeps beside the log, together with the next record that is staged.
func (l *Log) Tell(snapshot []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.snapshot = snapshot
}

// Terminal is the last record of a job.
type Terminal struct {
	Type Type
	Gate Gate
	Tail func(dst []byte, index uint64) ([]byte, error) // appends the frame's tail
	Alt  func(dst []byte, index uint64) ([]byte, Type, error)
	Row  *store.JobRow
	// Snapshot, if not nil, returns what the store keeps beside the log from then on: the index is the terminal's, bytes is what all
	// records kept take.
	Snapshot func(index uint64, bytes int) []byte
}

// Close stages the terminal and lets nothing follow it. The first call wins; later ones get ErrOver. It does not wait
// for the commit: Flush does.
func (l *Log) Close(t *Terminal) (uint64, error) {
	l.mu.Lock()
	defer l.seq.kick()
	defer l.mu.Unlock()
	if err := l.refusal(); err != nil {
		return 0, err
	}
	index := l.events + 1
	s := l.room(512)
	mark := len(s.data)
	out, err := t.Tail(append(s.data, byte(t.Type), byte(t.Gate)), index)
	if err == nil && t.Alt != nil {
		l.alt, err = altRecord(t, index)
	}
	if err == nil {
		err = l.stage(s, mark, out, t.Gate)
	}
	if err != nil {
		return 0, err
	}
	l.closed, l.row = true, t.Row
	if t.Snapshot != nil {
		l.snapshot = t.Snapshot(index, l.retained+l.staged)
	}
	l.wake()
	return index, nil
}

func altRecord(t *Terminal, index uint64) ([]byte, error) {
	out, typ, err := t.Alt(make([]byte, recordHead, 256), index)
	if err != nil {
		return nil, err
	}
	out[0] = byte(typ)
	return out, nil
}

// Flush waits until all that was staged when it was called is committed.
func (l *Log) Flush(ctx context.Context) error {
	l.seq.kick()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.remote {
		return ErrLost
	}
	for want := l.records; l.flushed < want; {
		if l.failed != nil {
			return l.failed
		}
		if err := l.waitLocked(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Committed returns the index of the newest numbered record published.
func (l *Log) Committed() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.committed
}

// Bytes returns what the log holds of numbered records, in bytes.
func (l *Log) Bytes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.retained + l.staged
}

func (l *Log) refusal() error {
	switch {
	case l.failed != nil:
		return l.failed
	case l.closed:
		return ErrOver
	}
	return nil
}

// room returns a slab with space for about n bytes more.
func (l *Log) room(n int) *slab {
	var last *slab
	size := slabMin
	if k := len(l.slabs); k > 0 {
		last = l.slabs[k-1]
		fits := cap(last.data)-len(last.data) >= n && len(last.ends) < cap(last.ends)
		if fits && last.rec0+uint64(len(last.ends)) == l.records+1 {
			return last
		}
		if fits {
			return l.split(last)
		}
		size = max(slabMin, min(4*cap(last.data), slabMax))
	}
	return l.grow(max(size, n))
}

// split goes on in what is left of the last slab's memory, after a control record that stands between.
func (l *Log) split(last *slab) *slab {
	n, k := len(last.data), len(last.ends)
	s := &slab{data: last.data[n:], ends: last.ends[k:], rec0: l.records + 1, idx0: l.events + 1}
	last.data, last.ends = last.data[:n:n], last.ends[:k:k]
	if k == 0 {
		l.slabs = l.slabs[:len(l.slabs)-1]
	}
	l.slabs = append(l.slabs, s)
	return s
}

func (l *Log) grow(size int) *slab {
	s := newSlab(size, l.records+1, l.events+1)
	l.slabs = append(l.slabs, s)
	return s
}

// stage makes the bytes of out past mark a record. When they outgrew the slab, append has moved them: they get a slab
// of their own, and the old one stays as it was.
func (l *Log) stage(s *slab, mark int, out []byte, gate Gate) error {
	n := len(out) - mark
	if n-recordHead > l.seq.limits.FrameBytes-framePrefixMax {
		return ErrTooLarge
	}
	if cap(out) != cap(s.data) {
		rec := out[mark:]
		if len(s.ends) == 0 {
			l.slabs = l.slabs[:len(l.slabs)-1]
		}
		s = l.grow(max(n, min(slabMax, 4*cap(s.data))))
		out = append(s.data, rec...)
	}
	s.data = out
	s.ends = append(s.ends, uint32(len(out)))
	l.records++
	l.events++
	l.staged += n
	l.emitted += int64(n)
	l.pacer.debt += n
	l.gates |= gate
	l.mark()
	return nil
}

func (l *Log) mark() {
	if !l.dirty {
		l.dirty = true
		l.seq.push(l)
	}
}

func (l *Log) wake() {
	if l.moved != nil {
		close(l.moved)
		l.moved = nil
	}
}

func (l *Log) waitLocked(ctx context.Context) error {
	if l.moved == nil {
		l.moved = make(chan struct{})
	}
	moved := l.moved
	l.mu.Unlock()
	defer l.mu.Lock()
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
