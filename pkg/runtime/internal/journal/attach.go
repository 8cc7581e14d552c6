package journal

import (
	"errors"
	"slices"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// OpenView creates a session's key and its empty view.
func (s *Sequencer) OpenView(node store.NodeID, sessionID string, gates Gate, snapshot []byte) (*View, error) {
	key := store.Key{Kind: store.KindSession, ID: sessionID}
	op := store.Op{Key: key, Create: true, Node: node, Snapshot: snapshot}
	if err := s.Commit(&op); err != nil {
		return nil, err
	}
	return newView(s, key, 1, gates), nil
}

// NewLog says what a log begins with.
type NewLog struct {
	Node     store.NodeID
	JobID    string
	TraceID  string
	Accepted []byte // the encoded job.accepted, the log's first record
	Row      *store.JobRow
	Snapshot []byte // what other nodes must know of the job before they read its log
	Owner    *View  // attached from the start
}

// OpenLog creates a job's key with its first record and attaches the owner's view, in this order, with one commit.
func (s *Sequencer) OpenLog(o *NewLog) (*Log, error) {
	key := store.Key{Kind: store.KindJob, ID: o.JobID}
	rec := append([]byte{byte(TypeAccepted)}, o.Accepted...)
	op := store.Op{
		Key: key, Create: true, Node: o.Node, Row: o.Row, Snapshot: o.Snapshot,
		Append: store.Segment{First: 1, Ends: []uint32{uint32(len(rec))}, Data: rec},
	}
	l := s.newLog(key, o.TraceID)
	l.epoch, l.records, l.flushed = 1, 1, 1
	v, lost := o.Owner, false
	s.together(func() {
		s.batch.Ops = append(s.batch.Ops, op)
		if v != nil {
			s.stageAttach(v, l, 0)
		}
	}, func() {
		if v == nil {
			return
		}
		if lost = v.lost; !lost {
			v.positionAccepted(l, o.Accepted)
		}
	})
	if err := s.Err(); err != nil {
		return nil, err
	}
	if lost {
		return nil, errors.Join(ErrLost, s.Commit(&store.Op{Key: key, Epoch: 1, Head: 1, Delete: true}))
	}
	return l, nil
}

func (s *Sequencer) newLog(key store.Key, traceID string) *Log {
	l := &Log{seq: s, key: key, jobID: key.ID, traceID: traceID, lonely: make(chan struct{}, 1)}
	l.views.Store(new([]*View))
	return l
}

// positionAccepted keeps a job's accepted frame for resumes. The caller holds the baton.
func (v *View) positionAccepted(l *Log, frame []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.positioned = append(v.positioned, positioned{frame: frame, of: v.logs[l]})
}

// Live is the index to attach from for what is to come only.
const Live = ^uint64(0)

// ErrTrimmed says that a log no longer keeps what was asked for.
var ErrTrimmed = errors.New("journal: the records asked for are dropped")

// Attach gives a view the records of a log after index from, those there are and those to come, each once. The moment
// of the call is the cut between them. A view that holds the log already is given only what was asked again and no
// second stream. A log that is shelved must be fetched before.
//
// Answer makes the frame that tells of it, from the newest index before the cut and the newest number the view had given before what was
// asked; it may be sent when Attach has returned without an error. It is committed with what it tells of, and positioned ahead of that. When it
// is nil nothing is done. Answer must not call the sequencer. The error is ErrTrimmed, ErrLost or that of the store.
func (s *Sequencer) Attach(v *View, l *Log, from uint64, answer func(cut, after uint64) []byte) error {
	s.lock()
	defer s.unlock()
	cut := l.Committed()
	switch {
	case v.lost:
		return ErrLost
	case from < cut && l.First() > from+1:
		return ErrTrimmed
	}
	after := v.next
	frame := answer(cut, after)
	if frame == nil {
		return nil
	}
	s.position(v, frame, after)
	s.attach(v, l, min(from, cut))
	if v.lost {
		return ErrLost
	}
	return s.Err()
}

// Attached says whether a view is given what happens in a log.
func (s *Sequencer) Attached(v *View, l *Log) bool {
	s.run.Lock()
	defer s.unlock()
	return v.logs[l] != nil
}

// Save replaces what the store keeps of the session beside its view.
func (s *Sequencer) Save(v *View, snapshot []byte) error {
	s.lock()
	defer s.unlock()
	if v.lost {
		return ErrLost
	}
	err := s.Commit(&store.Op{Key: v.key, Epoch: v.epoch, Head: v.sealed, Snapshot: snapshot})
	if lost(err) {
		s.loseView(v)
		return ErrLost
	}
	return err
}

func (s *Sequencer) attach(v *View, l *Log, from uint64) {
	if !v.lost {
		s.stageAttach(v, l, from)
		s.commit()
	}
}

// stageAttach is attach without the commit.
func (s *Sequencer) stageAttach(v *View, l *Log, from uint64) {
	if v.lost {
		return
	}
	if v.logs[l] == nil {
		v.slots++
		v.recordAttach(v.slots, from, l.jobID)
		v.join(l, &attachment{slot: v.slots, seen: from})
	}
	s.replay(v, l, from)
}

func (v *View) join(l *Log, a *attachment) {
	v.logs[l] = a
	views := append(slices.Clone(*l.views.Load()), v)
	l.views.Store(&views)
}

// replay numbers what a log holds after an index.
func (s *Sequencer) replay(v *View, l *Log, from uint64) {
	replayed := 0
	l.mu.Lock()
	for from < l.committed {
		r, ok := l.readLocked(from+1, l.committed-from)
		if !ok {
			break
		}
		n := uint64(len(r.ends))
		bytes := int(r.ends[n-1] - r.start)
		v.extend(l, from+1, from+n, gateAll, bytes)
		from += n
		replayed += bytes
	}
	l.mu.Unlock()
	v.mu.Lock()
	v.allowed += replayed
	v.mu.Unlock()
	s.touch(v)
}

// Detach ends the stream of a log in a view; what was numbered before stays. It does nothing for a log not attached.
func (s *Sequencer) Detach(v *View, l *Log) {
	s.lock()
	defer s.unlock()
	s.detach(v, l)
	s.commit()
}

func (s *Sequencer) detach(v *View, l *Log) {
	a := v.logs[l]
	if a == nil {
		return
	}
	v.part(l)
	v.record(recordDetach, uint64(a.slot))
}

func (v *View) part(l *Log) {
	delete(v.logs, l)
	views := slices.DeleteFunc(slices.Clone(*l.views.Load()), func(w *View) bool { return w == v })
	l.views.Store(&views)
	if len(views) == 0 {
		l.Nudge()
	}
}

// Insert numbers one record of the view's own, which is in no log.
func (s *Sequencer) Insert(v *View, t Type, tail []byte) {
	rec := append([]byte{byte(t), byte(GateNone)}, tail...)
	s.lock()
	defer s.unlock()
	if v.lost {
		return
	}
	v.inline(nil, 0, rec)
	s.commit()
}

// Has says whether some view of the log lacks a gate.
func (s *Sequencer) Has(l *Log, lacking Gate) bool {
	s.run.Lock()
	defer s.unlock()
	for _, v := range *l.views.Load() {
		if lacking&^v.gates != 0 {
			return true
		}
	}
	return false
}

// CloseView detaches a view from everything and removes its key.
func (s *Sequencer) CloseView(v *View) error {
	s.lock()
	defer s.unlock()
	for l := range v.logs {
		s.detach(v, l)
	}
	s.commit()
	if v.lost {
		return ErrLost
	}
	err := s.Commit(&store.Op{Key: v.key, Epoch: v.epoch, Head: v.records, Delete: true})
	if lost(err) {
		return ErrLost
	}
	return err
}

// CloseLog removes a job's key; nobody may write it any more. Views keep what they have yet to write.
func (s *Sequencer) CloseLog(l *Log) error {
	s.lock()
	defer s.unlock()
	for _, v := range *l.views.Load() {
		s.detach(v, l)
	}
	s.commit()
	l.mu.Lock()
	op := store.Op{Key: l.key, Epoch: l.epoch, Head: l.records, Delete: true}
	remote := l.remote
	l.mu.Unlock()
	if remote {
		return s.Err()
	}
	return s.Commit(&op)
}
