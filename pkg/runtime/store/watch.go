package store

import "context"

type memoryWatcher struct {
	store *Memory
	of    *sequence
	at    int // index in of.watchers; -1 when closed
	from  uint64
	moved chan struct{}
}

// Watch begins to watch a key; see Store.
func (m *Memory) Watch(ctx context.Context, key Key, from uint64) (Watcher, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.find(key)
	if err != nil {
		return nil, err
	}
	w := &memoryWatcher{store: m, of: s, at: len(s.watchers), from: from, moved: make(chan struct{}, 1)}
	s.watchers = append(s.watchers, w)
	w.tell(s.records)
	return w, nil
}

func (w *memoryWatcher) Moved() <-chan struct{} { return w.moved }

func (w *memoryWatcher) tell(records uint64) {
	if records > w.from {
		w.signal()
	}
}

func (w *memoryWatcher) signal() {
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

func (w *memoryWatcher) Close() {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	if w.at < 0 {
		return
	}
	all := w.of.watchers
	last := all[len(all)-1]
	all[w.at], last.at = last, w.at
	all[len(all)-1] = nil
	w.of.watchers = all[:len(all)-1]
	w.at = -1
}
