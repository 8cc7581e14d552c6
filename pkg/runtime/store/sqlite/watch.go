package sqlite

import (
	"context"
	"slices"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

type watcher struct {
	store *Store
	of    *entry
	from  uint64
	moved chan struct{}
}

// Watch begins to watch a key; see store.Store. Nobody but this process can move it.
func (s *Store) Watch(ctx context.Context, key store.Key, from uint64) (store.Watcher, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(key)
	if err != nil {
		return nil, err
	}
	w := &watcher{store: s, of: e, from: from, moved: make(chan struct{}, 1)}
	e.watchers = append(e.watchers, w)
	w.tell(e.head.records)
	return w, nil
}

func (w *watcher) Moved() <-chan struct{} { return w.moved }

func (w *watcher) tell(records uint64) {
	if records > w.from {
		w.signal()
	}
}

func (w *watcher) signal() {
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

func (w *watcher) Close() {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.of.watchers = slices.DeleteFunc(w.of.watchers, func(other *watcher) bool { return other == w })
}
