package sqlite

import (
	"container/heap"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// head is what is kept of a key besides its records, without the bytes of its snapshot and row.
type head struct {
	epoch       store.Epoch
	owner       store.NodeID
	released    bool
	records     uint64
	first       uint64 // of the oldest record retained; records+1 when none is
	expires     time.Time
	snapshotAt  uint64
	snapshotSum int64 // zero when there is none
	rowSum      int64 // zero when there is none
}

func (h *head) expired() bool { return !h.expires.IsZero() && !time.Now().Before(h.expires) }

// check is what holds of every head that was ever written.
func (h *head) check() error {
	switch {
	case h.epoch == 0:
		return damaged("its epoch is 0")
	case h.first == 0 || h.first > h.records+1:
		return damaged("it begins at %d of %d records", h.first, h.records)
	case h.snapshotAt > h.records:
		return damaged("its snapshot is at %d of %d records", h.snapshotAt, h.records)
	case h.released && h.owner != "":
		return damaged("it was released and has an owner")
	}
	return nil
}

// entry is a key of the store. Only the writer changes head, gone and node, under the store's lock, once what they say is committed.
type entry struct {
	id   int64
	key  store.Key
	head head
	node *node // the owner if it joined since the file was opened
	gone bool

	watchers []*watcher
	box      mailbox
}

// owned says whether an epoch may change the key.
func (e *entry) owned(epoch store.Epoch) error {
	if e.gone {
		return store.ErrNotFound
	}
	return e.head.owned(epoch)
}

func (h *head) owned(epoch store.Epoch) error {
	if h.released || h.epoch != epoch {
		return store.ErrFenced
	}
	return nil
}

// wake tells all who wait on the key that it, or the store, is no more.
func (e *entry) wake() {
	for _, w := range e.watchers {
		w.signal()
	}
	e.box.wakeAll()
}

// expiries holds the keys that may be forgotten one day, the earliest first. One deleted sooner stays in it until then.
type expiries []*entry

func (h expiries) Len() int           { return len(h) }
func (h expiries) Less(i, j int) bool { return h[i].head.expires.Before(h[j].head.expires) }
func (h expiries) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for container/heap.
func (h *expiries) Push(x any) { *h = append(*h, x.(*entry)) }

// Pop is for container/heap.
func (h *expiries) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}

func (h *expiries) add(e *entry) { heap.Push(h, e) }

// due returns up to n expired keys and takes them off.
func (h *expiries) due(n int) []*entry {
	var all []*entry
	for len(*h) > 0 && len(all) < n && (*h)[0].head.expired() {
		if e := heap.Pop(h).(*entry); !e.gone {
			all = append(all, e)
		}
	}
	return all
}
