package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// ErrCrashed is what every call of a Splitter answers between a crash and the next Restart.
var ErrCrashed = errors.New("storetest: crashed")

// Splitter is a store that commits a batch one operation at a time and may crash between two of them. A writer is crash-safe if after
// every crash a new writer, started on the store after Restart, finds what it can go on from.
type Splitter struct {
	store.Store
	mu      sync.Mutex
	rng     *rand.Rand
	odds    int
	crashed bool
	nodes   []store.Node
}

// Split wraps a store; rng decides where it crashes. It may be used from any goroutine; rng is its own from now on.
func Split(s store.Store, rng *rand.Rand) *Splitter {
	return &Splitter{Store: s, rng: rng, odds: 8}
}

// SetOdds makes one in n boundaries of operations a crash, both ends of a batch included; 0 is never. It begins as one in eight.
func (s *Splitter) SetOdds(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.odds = n
}

// Crashed says whether the store is down.
func (s *Splitter) Crashed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crashed
}

// Restart brings a crashed store back. Nodes that joined before are gone.
func (s *Splitter) Restart(ctx context.Context) error {
	s.mu.Lock()
	nodes := s.nodes
	s.nodes, s.crashed = nil, false
	s.mu.Unlock()
	for _, n := range nodes {
		if err := n.Leave(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Commit commits the operations one by one, unless it crashes.
func (s *Splitter) Commit(ctx context.Context, b *store.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crashed {
		return ErrCrashed
	}
	for i := range b.Ops {
		if s.crash() {
			return ErrCrashed
		}
		err := s.Store.Commit(ctx, &store.Batch{Ops: b.Ops[i : i+1 : i+1]})
		if err != nil {
			return atOperation(err, i)
		}
	}
	// The last one: everything is done, the caller never hears of it.
	if s.crash() {
		return ErrCrashed
	}
	return nil
}

func atOperation(err error, i int) error {
	var at *store.BatchError
	if !errors.As(err, &at) {
		return err
	}
	return &store.BatchError{Done: i, Key: at.Key, Err: at.Err}
}

func (s *Splitter) crash() bool {
	s.crashed = s.odds > 0 && s.rng.IntN(s.odds) == 0
	return s.crashed
}

func (s *Splitter) up() error {
	if s.Crashed() {
		return ErrCrashed
	}
	return nil
}

// Join joins the store underneath.
func (s *Splitter) Join(ctx context.Context, id store.NodeID) (store.Node, error) {
	if err := s.up(); err != nil {
		return nil, err
	}
	n, err := s.Store.Join(ctx, id)
	if err == nil {
		s.mu.Lock()
		s.nodes = append(s.nodes, n)
		s.mu.Unlock()
	}
	return n, err
}

// Acquire acquires from the store underneath.
func (s *Splitter) Acquire(ctx context.Context, node store.NodeID, key store.Key, old store.Epoch) (store.Epoch, store.Head, error) {
	if err := s.up(); err != nil {
		return 0, store.Head{}, err
	}
	return s.Store.Acquire(ctx, node, key, old)
}

// Release releases in the store underneath.
func (s *Splitter) Release(ctx context.Context, key store.Key, epoch store.Epoch) error {
	if err := s.up(); err != nil {
		return err
	}
	return s.Store.Release(ctx, key, epoch)
}

// Read reads the store underneath.
func (s *Splitter) Read(ctx context.Context, key store.Key, from uint64, maxBytes int) ([]store.Segment, error) {
	if err := s.up(); err != nil {
		return nil, err
	}
	return s.Store.Read(ctx, key, from, maxBytes)
}

// Lookup looks into the store underneath.
func (s *Splitter) Lookup(ctx context.Context, key store.Key) (store.Head, error) {
	if err := s.up(); err != nil {
		return store.Head{}, err
	}
	return s.Store.Lookup(ctx, key)
}

// Post posts to the store underneath.
func (s *Splitter) Post(ctx context.Context, key store.Key, c store.Command) error {
	if err := s.up(); err != nil {
		return err
	}
	return s.Store.Post(ctx, key, c)
}

// Trim trims the store underneath.
func (s *Splitter) Trim(ctx context.Context, key store.Key, epoch store.Epoch, before uint64) error {
	if err := s.up(); err != nil {
		return err
	}
	return s.Store.Trim(ctx, key, epoch, before)
}

// Lose declares a node lost if the store underneath can.
func (s *Splitter) Lose(id store.NodeID) bool {
	loser, ok := s.Store.(interface{ Lose(store.NodeID) bool })
	return ok && loser.Lose(id)
}

// Watch watches the store underneath.
func (s *Splitter) Watch(ctx context.Context, key store.Key, from uint64) (store.Watcher, error) {
	if err := s.up(); err != nil {
		return nil, err
	}
	return s.Store.Watch(ctx, key, from)
}

// Inbox opens an inbox of the store underneath. One opened before a crash is not cut.
func (s *Splitter) Inbox(ctx context.Context, key store.Key, epoch store.Epoch) (store.Inbox, error) {
	if err := s.up(); err != nil {
		return nil, err
	}
	return s.Store.Inbox(ctx, key, epoch)
}

// Jobs lists from the store underneath.
func (s *Splitter) Jobs(ctx context.Context, principal string, f store.Filter, after store.Cursor, limit int) (store.Page, error) {
	if err := s.up(); err != nil {
		return store.Page{}, err
	}
	return s.Store.Jobs(ctx, principal, f, after, limit)
}

// Orphans asks the store underneath.
func (s *Splitter) Orphans(ctx context.Context) ([]store.Key, error) {
	if err := s.up(); err != nil {
		return nil, err
	}
	return s.Store.Orphans(ctx)
}

// Secret asks the store underneath.
func (s *Splitter) Secret(ctx context.Context, name string) ([]byte, error) {
	if err := s.up(); err != nil {
		return nil, err
	}
	return s.Store.Secret(ctx, name)
}
