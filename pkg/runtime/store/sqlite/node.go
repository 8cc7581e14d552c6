package sqlite

import (
	"context"
	"slices"
	"strings"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

type node struct {
	store *Store
	id    store.NodeID
	lost  chan struct{}
}

func (n *node) ID() store.NodeID      { return n.id }
func (n *node) Lost() <-chan struct{} { return n.lost }

func (n *node) Leave(ctx context.Context) error {
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

// alive says whether this very node is the living one of its ID. The store's lock is held.
func (n *node) alive() bool { return n != nil && n.store.nodes[n.id] == n }

func (n *node) end() {
	delete(n.store.nodes, n.id)
	close(n.lost)
}

// Join adds a node; see store.Store. Nodes live in this process: whoever was one before the file was opened is dead.
func (s *Store) Join(ctx context.Context, id store.NodeID) (store.Node, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, store.ErrClosed
	case s.nodes[id] != nil:
		return nil, store.ErrExists
	}
	n := &node{store: s, id: id, lost: make(chan struct{})}
	s.nodes[id] = n
	return n, nil
}

// Lose declares a living node lost and says whether there was one, for tests of what happens then.
func (s *Store) Lose(id store.NodeID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nodes[id]
	if n == nil {
		return false
	}
	n.end()
	return true
}

// Orphans returns the keys whose owner is gone, sorted; see store.Store.
func (s *Store) Orphans(ctx context.Context) ([]store.Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, store.ErrClosed
	}
	var keys []store.Key
	for _, kind := range []store.Kind{store.KindJob, store.KindSession, store.KindMint} {
		for _, e := range s.keys[kind] {
			if e.head.owner != "" && !e.node.alive() {
				keys = append(keys, e.key)
			}
		}
	}
	slices.SortFunc(keys, func(a, b store.Key) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return keys, nil
}

// Acquire changes a key's owner; see store.Store.
func (s *Store) Acquire(ctx context.Context, id store.NodeID, key store.Key, old store.Epoch) (store.Epoch, store.Head, error) {
	var h store.Head
	err := s.do(ctx, func(t *tx) error {
		d, err := t.find(key)
		if err != nil {
			return err
		}
		n := s.living(id)
		switch {
		case n == nil:
			return store.ErrFenced
		case d.head.epoch != old:
			return store.ErrConflict
		}
		if h.Snapshot, err = t.snapshot(d); err != nil {
			return err
		}
		d.head.epoch++
		d.head.owner, d.node, d.head.released = id, n, false
		d.head.fill(&h)
		return nil
	})
	if err != nil {
		return 0, store.Head{}, err
	}
	return h.Epoch, h, nil
}

func (s *Store) living(id store.NodeID) *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[id]
}

// Release gives a key up; see store.Store.
func (s *Store) Release(ctx context.Context, key store.Key, epoch store.Epoch) error {
	return s.do(ctx, func(t *tx) error {
		d, err := t.owned(key, epoch)
		if err != nil {
			return err
		}
		d.head.owner, d.node, d.head.released = "", nil, true
		return nil
	})
}
