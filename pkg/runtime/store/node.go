package store

import (
	"context"
	"slices"
	"strings"
)

type memoryNode struct {
	store *Memory
	id    NodeID
	lost  chan struct{}
}

func (n *memoryNode) ID() NodeID            { return n.id }
func (n *memoryNode) Lost() <-chan struct{} { return n.lost }

func (n *memoryNode) Leave(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	if n.alive() {
		n.end()
	}
	return nil
}

// alive says whether this very node is the living one of its ID. The lock is held.
func (n *memoryNode) alive() bool { return n != nil && n.store.nodes[n.id] == n }

func (n *memoryNode) end() {
	delete(n.store.nodes, n.id)
	close(n.lost)
}

// Join adds a node; see Store.
func (m *Memory) Join(ctx context.Context, id NodeID) (Node, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return nil, ErrClosed
	case m.nodes[id] != nil:
		return nil, ErrExists
	}
	n := &memoryNode{store: m, id: id, lost: make(chan struct{})}
	m.nodes[id] = n
	return n, nil
}

// Lose declares a living node lost, as a distributed engine does with a node whose lease ran out, and says whether there was one.
// It is how takeover is tested without killing a process.
func (m *Memory) Lose(id NodeID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.nodes[id]
	if n == nil {
		return false
	}
	n.end()
	return true
}

// Acquire changes a key's owner; see Store.
func (m *Memory) Acquire(ctx context.Context, node NodeID, key Key, old Epoch) (Epoch, Head, error) {
	if err := ctx.Err(); err != nil {
		return 0, Head{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.find(key)
	if err != nil {
		return 0, Head{}, err
	}
	n := m.nodes[node]
	switch {
	case n == nil:
		return 0, Head{}, ErrFenced
	case s.epoch != old:
		return 0, Head{}, ErrConflict
	}
	s.epoch++
	s.owner, s.node, s.released = node, n, false
	s.box.wakeAll()
	return s.epoch, s.head(), nil
}

// Release gives a key up; see Store.
func (m *Memory) Release(ctx context.Context, key Key, epoch Epoch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.owned(key, epoch)
	if err != nil {
		return err
	}
	s.owner, s.node, s.released = "", nil, true
	s.box.wakeAll()
	return nil
}

// Orphans returns the keys whose owner is gone, sorted; see Store.
func (m *Memory) Orphans(ctx context.Context) ([]Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	var keys []Key
	for _, kind := range []Kind{KindJob, KindSession, KindMint} {
		for _, s := range m.keys[kind] {
			if s.owner != "" && !s.node.alive() {
				keys = append(keys, s.key)
			}
		}
	}
	slices.SortFunc(keys, func(a, b Key) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return keys, nil
}
