package store

import (
	"context"
	"errors"
	"fmt"
)

// Commit does the operations of a batch; see Store. Here a batch is also seen as one by readers.
func (m *Memory) Commit(ctx context.Context, b *Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	for i := range b.Ops {
		if err := m.do(&b.Ops[i]); err != nil {
			return &BatchError{Done: i, Key: b.Ops[i].Key, Err: err}
		}
	}
	return nil
}

func (m *Memory) do(op *Op) error {
	if err := op.Check(); err != nil {
		return err
	}
	s, err := m.target(op)
	if err != nil {
		return err
	}
	if op.Delete {
		m.remove(s)
		return nil
	}
	if len(op.Append.Ends) > 0 {
		s.append(&op.Append)
	}
	if op.Snapshot != nil {
		s.snapshot, s.snapshotAt = op.Snapshot, s.records
	}
	if op.Row != nil {
		m.setRow(s, op.Row)
	}
	return nil
}

// target returns the sequence the operation may change, a new one for Create.
func (m *Memory) target(op *Op) (*sequence, error) {
	if op.Create {
		return m.create(op)
	}
	s, err := m.owned(op.Key, op.Epoch)
	if err != nil {
		return nil, err
	}
	if s.records != op.Head {
		return nil, fmt.Errorf("%w: it is %d, not %d", ErrConflict, s.records, op.Head)
	}
	return s, nil
}

func (m *Memory) create(op *Op) (*sequence, error) {
	m.forgetExpired()
	byID := m.keys[op.Key.Kind]
	if old := byID[op.Key.ID]; old != nil {
		if !old.expired() {
			return nil, ErrExists
		}
		m.remove(old)
	}
	s := &sequence{key: op.Key, epoch: 1, owner: op.Node, node: m.nodes[op.Node], expires: op.Expires}
	byID[op.Key.ID] = s
	if !op.Expires.IsZero() {
		m.expiry.add(s)
	}
	return s, nil
}

func (m *Memory) remove(s *sequence) {
	delete(m.keys[s.key.Kind], s.key.ID)
	m.dropRow(s)
	s.gone()
}

// Check says what is wrong with an operation that no engine could do. Engines call it before they change anything.
func (op *Op) Check() error {
	a := &op.Append
	switch {
	case op.Key.Kind < KindJob || op.Key.Kind > kinds:
		return fmt.Errorf("store: Key.Kind is %d", op.Key.Kind)
	case op.Create && op.Head != 0:
		return fmt.Errorf("store: Head is %d with Create", op.Head)
	case len(a.Ends) > 0 && a.First != op.Head+1:
		return fmt.Errorf("store: Append.First is %d, Head is %d", a.First, op.Head)
	case len(a.Ends) > 0 && !a.sound():
		return errors.New("store: Append.Ends leave Append.Data")
	case op.Row != nil && op.Key.Kind != KindJob:
		return errors.New("store: Row on a key that is no job")
	case !op.Expires.IsZero() && (!op.Create || op.Key.Kind != KindIdem):
		return errors.New("store: Expires without Create of an idempotency key")
	case op.Delete && (op.Create || len(a.Ends) > 0 || op.Snapshot != nil || op.Row != nil):
		return errors.New("store: Delete together with something else")
	}
	return nil
}
