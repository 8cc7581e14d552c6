package store

import "context"

// maxCommands bounds what waits for one key: a command is a cancel or a detach, and the owner takes them at once.
const maxCommands = 1024

// mailbox is the commands of a key that nobody took yet.
type mailbox struct {
	queue []Command
	wake  chan struct{} // closed to wake those who wait; nil when nobody does
}

// waiting returns a channel that is closed at the next wakeAll.
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

func (b *mailbox) take() Command {
	c := b.queue[0]
	b.queue[0] = Command{}
	b.queue = b.queue[1:]
	return c
}

// Post hands over a command; see Store.
func (m *Memory) Post(ctx context.Context, key Key, c Command) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.find(key)
	if err != nil {
		return err
	}
	if len(s.box.queue) >= maxCommands {
		return ErrFull
	}
	s.box.queue = append(s.box.queue, c)
	s.box.wakeAll()
	return nil
}

type memoryInbox struct {
	store  *Memory
	of     *sequence
	epoch  Epoch
	closed bool
}

// Inbox opens a key's inbox; see Store.
func (m *Memory) Inbox(ctx context.Context, key Key, epoch Epoch) (Inbox, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.owned(key, epoch)
	if err != nil {
		return nil, err
	}
	return &memoryInbox{store: m, of: s, epoch: epoch}, nil
}

func (i *memoryInbox) Next(ctx context.Context) (Command, error) {
	for {
		c, wait, err := i.try()
		if wait == nil || err != nil {
			return c, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return Command{}, ctx.Err()
		}
	}
}

// try takes a command, or says what to wait for.
func (i *memoryInbox) try() (Command, <-chan struct{}, error) {
	i.store.mu.Lock()
	defer i.store.mu.Unlock()
	switch s := i.of; {
	case i.closed || i.store.closed:
		return Command{}, nil, ErrClosed
	case s.released || s.epoch != i.epoch:
		return Command{}, nil, ErrFenced
	case len(s.box.queue) == 0:
		return Command{}, s.box.waiting(), nil
	default:
		return s.box.take(), nil, nil
	}
}

func (i *memoryInbox) Close() {
	i.store.mu.Lock()
	defer i.store.mu.Unlock()
	i.closed = true
	i.of.box.wakeAll()
}
