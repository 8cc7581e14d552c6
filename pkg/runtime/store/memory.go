package store

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
)

// Memory is the engine that keeps everything in the process. Several runtimes may share one.
//
// One lock guards it all: it is held for a few map look-ups and slice headers, never for bytes and never while a caller waits.
type Memory struct {
	mu      sync.Mutex
	closed  bool
	keys    [kinds + 1]map[string]*sequence // by kind, so that the maps hash plain strings
	nodes   map[NodeID]*memoryNode          // the living
	rows    map[string]*rowIndex            // by principal
	secrets map[string][32]byte
	expiry  expiryHeap
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	m := &Memory{
		nodes:   make(map[NodeID]*memoryNode),
		rows:    make(map[string]*rowIndex),
		secrets: make(map[string][32]byte),
	}
	for i := range m.keys {
		m.keys[i] = make(map[string]*sequence)
	}
	return m
}

// Level returns Volatile.
func (m *Memory) Level() Durability { return Volatile }

// Close ends the store; see Store.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	for _, n := range m.nodes {
		close(n.lost)
	}
	clear(m.nodes)
	for _, byID := range m.keys {
		for _, s := range byID {
			s.gone()
		}
		clear(byID)
	}
	clear(m.rows)
	m.expiry = nil
	return nil
}

// Lookup returns a key's head; see Store.
func (m *Memory) Lookup(ctx context.Context, key Key) (Head, error) {
	if err := ctx.Err(); err != nil {
		return Head{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.find(key)
	if err != nil {
		return Head{}, err
	}
	return s.head(), nil
}

// Read returns segments; see Store.
func (m *Memory) Read(ctx context.Context, key Key, from uint64, maxBytes int) ([]Segment, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.find(key)
	if err != nil {
		return nil, err
	}
	return s.read(from, maxBytes)
}

// Trim forgets old records; see Store.
func (m *Memory) Trim(ctx context.Context, key Key, epoch Epoch, before uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.owned(key, epoch)
	if err != nil {
		return err
	}
	s.trim(before)
	return nil
}

// Secret returns a named secret; see Store.
func (m *Memory) Secret(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	b, ok := m.secrets[name]
	if !ok {
		_, _ = rand.Read(b[:]) // never fails, by its own contract
		m.secrets[name] = b
	}
	return slices.Clone(b[:]), nil
}

// find returns the sequence of a key that is there and not expired. The lock is held.
func (m *Memory) find(key Key) (*sequence, error) {
	if m.closed {
		return nil, ErrClosed
	}
	if int(key.Kind) >= len(m.keys) {
		return nil, ErrNotFound
	}
	s := m.keys[key.Kind][key.ID]
	if s == nil || s.expired() {
		return nil, ErrNotFound
	}
	return s, nil
}

// owned is find for the holder of an epoch. The lock is held.
func (m *Memory) owned(key Key, epoch Epoch) (*sequence, error) {
	s, err := m.find(key)
	if err != nil {
		return nil, err
	}
	if s.released || s.epoch != epoch {
		return nil, ErrFenced
	}
	return s, nil
}
