package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Start takes up what the store holds: unfinished jobs of Restartable agents run again and others end with the reason, those that have ended are
// remembered for what is left of their time, sessions wait for their clients for what is left of theirs. Agents must be registered before it.
// Serve calls it when nobody has, and nobody is welcomed before it is done. It does nothing once it has succeeded; after an error, which
// is the store's or ctx's, it may be called again. It may be called from any goroutine.
func (rt *Runtime) Start(ctx context.Context) error {
	if rt.started.Load() {
		return nil
	}
	select {
	case rt.starting <- struct{}{}:
		defer func() { <-rt.starting }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if rt.started.Load() {
		return nil
	}
	if rt.lasting {
		if err := rt.takeUp(ctx); err != nil {
			return fmt.Errorf("runtime: taking up what the store holds: %w", err)
		}
		rt.back.start(rt.tend)
	}
	rt.started.Store(true)
	return nil
}

func (rt *Runtime) takeUp(ctx context.Context) error {
	rt.mu.Lock()
	rt.owners = map[string]*owner{}
	rt.mu.Unlock()
	err := rt.takeOrphans(ctx)
	rt.mu.Lock()
	rt.owners = nil
	rt.mu.Unlock()
	return err
}

// tend takes over what dead nodes leave, until ctx is done or this node counts as dead itself.
func (rt *Runtime) tend(ctx context.Context) {
	scan := &time.Ticker{}
	if rt.opts.Shared {
		scan = time.NewTicker(rt.opts.OrphanScan)
		defer scan.Stop()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-rt.node.Lost():
			rt.fail(errDead)
			return
		case <-rt.seq.Failed():
			rt.fail(rt.seq.Err())
			return
		case <-scan.C:
			if err := rt.takeOrphans(ctx); err != nil && ctx.Err() == nil {
				rt.opts.Logger.Error("what dead runtimes left cannot be looked up", "error", err)
			}
		}
	}
}

// takeOrphans takes over jobs first, so that sessions find them here. Their agents run once it is done: until then a session is not given what
// they write, and a log that keeps little would have lost it.
func (rt *Runtime) takeOrphans(ctx context.Context) error {
	rt.mu.Lock()
	rt.waiting = []func(){}
	rt.mu.Unlock()
	defer rt.takenUp()
	orphans, err := rt.orphans(ctx)
	keys := slices.SortedFunc(maps.Keys(orphans), func(a, b store.Key) int {
		return cmp.Or(int(a.Kind)-int(b.Kind), strings.Compare(a.ID, b.ID))
	})
	jobs := slices.IndexFunc(keys, func(k store.Key) bool { return k.Kind != store.KindJob })
	if jobs < 0 {
		jobs = len(keys)
	}
	mints := slices.IndexFunc(keys, func(k store.Key) bool { return k.Kind == store.KindMint })
	if mints < 0 {
		mints = len(keys)
	}
	if err == nil {
		err = rt.sweepMints(ctx, keys[mints:], orphans)
	}
	for _, part := range [][]store.Key{keys[:jobs], keys[jobs:mints]} {
		if err == nil {
			err = together(part, func(key store.Key) error { return rt.takeOrphan(ctx, key, orphans[key]) })
		}
	}
	rt.retain()
	return err
}

// whenTakenUp runs an agent's job in a goroutine, not before what is being taken over is.
func (rt *Runtime) whenTakenUp(run func()) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.waiting == nil {
		go run()
		return
	}
	rt.waiting = append(rt.waiting, run)
}

func (rt *Runtime) takenUp() {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	for _, run := range rt.waiting {
		go run()
	}
	rt.waiting = nil
}

// together calls f for each key, some at the same time, so that what they write shares commits, and returns the first error; after one no
// more are begun.
func together(keys []store.Key, f func(store.Key) error) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	var first atomic.Pointer[error]
	for range min(takers, len(keys)) {
		wg.Go(func() {
			for first.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(keys) {
					return
				}
				if err := f(keys[i]); err != nil {
					first.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	if err := first.Load(); err != nil {
		return *err
	}
	return nil
}

// takers is how many keys are taken up at the same time.
const takers = 16

// takeOrphan takes over one key. What is damaged is left where it is; what another node was faster with is that node's.
func (rt *Runtime) takeOrphan(ctx context.Context, key store.Key, head store.Head) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch key.Kind {
	case store.KindJob:
		err = rt.takeJob(ctx, key, head)
	case store.KindMint:
		err = rt.sweepMint(ctx, key, head)
	default:
		_, err = rt.adopt(ctx, &adoption{id: key.ID, epoch: head.Epoch})
	}
	var refusal *arcp.Error
	switch {
	case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrFenced), errors.As(err, &refusal):
		return nil
	case errors.Is(err, journal.ErrDamaged):
		rt.opts.Logger.Error("what a runtime that is gone has left cannot be read", "key", key.String(), "error", err)
		return nil
	}
	return err
}

// orphans returns the head of each key that is without a living owner. Where other nodes look, too, the head is read between two looks at
// the owner, so that nothing is taken from a node that was faster.
func (rt *Runtime) orphans(ctx context.Context) (map[store.Key]store.Head, error) {
	keys, err := rt.store.Orphans(ctx)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	seen := make(map[store.Key]store.Head, len(keys))
	for _, key := range keys {
		head, err := rt.store.Lookup(ctx, key)
		if err == nil {
			seen[key] = head
		} else if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	if !rt.opts.Shared {
		return seen, nil
	}
	if keys, err = rt.store.Orphans(ctx); err != nil {
		return nil, err
	}
	still := make(map[store.Key]store.Head, len(keys))
	for _, key := range keys {
		if head, ok := seen[key]; ok {
			still[key] = head
		}
	}
	return still, nil
}
