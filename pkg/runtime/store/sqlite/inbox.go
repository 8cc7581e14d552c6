package sqlite

import (
	"context"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// maxCommands bounds what waits for one key, as in the memory engine.
const maxCommands = 1024

// mailbox is the commands of a key that nobody took yet. It is not in the file: who posts is a runtime of this process and dies with the
// owner, and what it asked for was not acknowledged to anybody before the owner wrote it down.
type mailbox struct {
	queue []store.Command
	wake  chan struct{} // closed to wake those who wait; nil when nobody does
}

func (b *mailbox) waiting() <-chan struct{} {
	if b.wake == nil {
		b.wake = make(chan struct{})
	}
	return b.wake
}

func (b *mailbox) wakeAll() {
	if b.wake != nil {
		close(b.wake)
		b.wake = nil
	}
}

func (b *mailbox) take() store.Command {
	c := b.queue[0]
	b.queue[0] = store.Command{}
	b.queue = b.queue[1:]
	return c
}

// Post hands over a command; see store.Store. It does not outlive the process.
func (s *Store) Post(ctx context.Context, key store.Key, c store.Command) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(key)
	if err != nil {
		return err
	}
	if len(e.box.queue) >= maxCommands {
		return store.ErrFull
	}
	e.box.queue = append(e.box.queue, c)
	e.box.wakeAll()
	return nil
}

type inbox struct {
	store  *Store
	of     *entry
	epoch  store.Epoch
	closed bool
}

// Inbox opens a key's inbox; see store.Store.
func (s *Store) Inbox(ctx context.Context, key store.Key, epoch store.Epoch) (store.Inbox, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(key)
	if err != nil {
		return nil, err
	}
	if err := e.owned(epoch); err != nil {
		return nil, err
	}
	return &inbox{store: s, of: e, epoch: epoch}, nil
}

func (i *inbox) Next(ctx context.Context) (store.Command, error) {
	for {
		c, wait, err := i.try()
		if wait == nil || err != nil {
			return c, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return store.Command{}, ctx.Err()
		}
	}
}

// try takes a command, or says what to wait for.
func (i *inbox) try() (store.Command, <-chan struct{}, error) {
	i.store.mu.Lock()
	defer i.store.mu.Unlock()
	switch box := &i.of.box; {
	case i.closed || i.store.closed:
		return store.Command{}, nil, store.ErrClosed
	case i.of.owned(i.epoch) != nil:
		return store.Command{}, nil, store.ErrFenced
	case len(box.queue) == 0:
		return store.Command{}, box.waiting(), nil
	default:
		return box.take(), nil, nil
	}
}

func (i *inbox) Close() {
	i.store.mu.Lock()
	defer i.store.mu.Unlock()
	i.closed = true
	i.of.box.wakeAll()
}
