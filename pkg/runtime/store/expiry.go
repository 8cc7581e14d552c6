package store

import "container/heap"

// expiryHeap holds the keys that may be forgotten one day, the earliest first. One deleted sooner stays in it until then.
type expiryHeap []*sequence

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].expires.Before(h[j].expires) }
func (h expiryHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for container/heap.
func (h *expiryHeap) Push(x any) { *h = append(*h, x.(*sequence)) }

// Pop is for container/heap.
func (h *expiryHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}

func (h *expiryHeap) add(s *sequence) { heap.Push(h, s) }

// forgetExpired removes up to two expired keys. Called at each Create it keeps pace with whatever is created. The lock is held.
func (m *Memory) forgetExpired() {
	for range 2 {
		if len(m.expiry) == 0 || !m.expiry[0].expired() {
			return
		}
		s := heap.Pop(&m.expiry).(*sequence)
		if m.keys[s.key.Kind][s.key.ID] == s {
			m.remove(s)
		}
	}
}
