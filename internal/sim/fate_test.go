package sim

import (
	"math/rand/v2"
	"sync"
	"time"
)

// kind is what a world consists of.
type kind string

// The kinds of worlds.
const (
	single    kind = "one"     // one runtime that lives as long as its clients
	shared    kind = "nodes"   // several on one store, which die
	restarted kind = "restart" // one after the other on one store that outlives them
)

// kindOf is the kind of a seed's world, unless the flag says another.
func kindOf(seed uint64) kind {
	if *worlds != "" {
		return kind(*worlds)
	}
	return pick(rand.New(rand.NewPCG(seed, 3)), single, shared, restarted)
}

// fate lets nodes of a world die, and others come, for as long as its clients are at work.
type fate struct {
	w    *world
	r    *rand.Rand
	over chan struct{}
	done sync.WaitGroup

	dying map[*node]bool
}

// fates begins what is to happen to the nodes; the function returned ends it and leaves at least one node that lives.
func (w *world) fates() (end func()) {
	f := &fate{w: w, r: w.rng(4), over: make(chan struct{}), dying: map[*node]bool{}}
	switch w.kind {
	case shared:
		f.done.Go(f.succeed)
	case restarted:
		f.done.Go(f.restart)
	}
	return func() {
		close(f.over)
		f.done.Wait()
	}
}

// restart ends the runtime and starts another one some time later.
func (f *fate) restart() {
	for range f.r.IntN(4) {
		if !f.wait(time.Duration(f.r.IntN(60_000)) * time.Millisecond) {
			return
		}
		old := f.w.node(0)
		if old == nil {
			return // everything is shut down
		}
		f.w.remove(old)
		f.w.bury()
		if f.r.IntN(4) == 0 {
			old.leave(time.Duration(f.r.IntN(5)) * time.Second)
		} else {
			old.kill()
		}
		f.wait(time.Duration(f.r.IntN(15)) * time.Second * time.Duration(f.r.IntN(2)))
		f.w.start()
	}
}

// succeed ends nodes while others take over.
func (f *fate) succeed() {
	for range f.r.IntN(4) {
		if !f.wait(time.Duration(f.r.IntN(60_000)) * time.Millisecond) {
			return
		}
		doomed, another := f.w.node(f.r.IntN(8)), f.r.IntN(2) == 0
		if f.w.isDown() || doomed == nil || f.dying[doomed] {
			continue
		}
		f.dying[doomed] = true
		if another || f.others() == 0 {
			f.w.start()
		}
		f.end(doomed)
	}
}

// wait is false once the clients have had enough.
func (f *fate) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-f.over:
		return false
	}
}

// end is the end of one node. A node that leaves or is killed is not found any more; one that the store counts as dead is, for a while.
func (f *fate) end(n *node) {
	switch f.r.IntN(4) {
	case 0:
		f.w.remove(n)
		f.w.bury() // what has not ended in time is left to others
		n.leave(time.Duration(f.r.IntN(5)) * time.Second)
	case 1, 2:
		f.w.remove(n)
		f.w.bury()
		n.kill()
	case 3:
		f.w.bury()
		late := time.Duration(f.r.IntN(20)) * time.Second
		f.done.Go(func() {
			n.lose(late)
			f.w.remove(n)
		})
	}
}

// bury notes that a runtime died, which its jobs may be told of.
func (w *world) bury() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.died = true
	total.ended.Add(1)
}

func (w *world) hasDied() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.died
}

// others is how many nodes live that are to live on.
func (f *fate) others() (n int) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	for _, other := range f.w.nodes {
		if !f.dying[other] {
			n++
		}
	}
	return n
}
