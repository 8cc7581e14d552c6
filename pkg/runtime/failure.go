package runtime

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// errDead is the failure of a runtime whose store has another one in its place, or none.
var errDead = errors.New("the store counts this runtime as dead")

// lostStore is why links are closed then.
const lostStore = "the runtime has lost its store"

// Failed is closed when the store has failed, or has declared this runtime dead, which Err tells. By then nobody is served any more: clients have lost
// their links and agents are told to stop. What was committed is there for the next runtime, and nobody was shown anything else.
func (rt *Runtime) Failed() <-chan struct{} { return rt.failed }

// Err returns why the runtime has failed, nil while it has not.
func (rt *Runtime) Err() error {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return rt.failure
}

// refusal is what Serve answers when it serves nobody any more.
func (rt *Runtime) refusal() error {
	if err := rt.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrShutdown, err)
	}
	return ErrShutdown
}

// fail ends a runtime without a word to the store, which has failed, or whose jobs and sessions others may have already.
func (rt *Runtime) fail(err error) {
	rt.mu.Lock()
	if rt.failure != nil {
		rt.mu.Unlock()
		return
	}
	rt.failure = fmt.Errorf("runtime: %w", err)
	rt.stopping = true
	if rt.sweeper != nil {
		rt.sweeper.Stop()
	}
	jobs := slices.Collect(maps.Values(rt.jobs))
	sessions := slices.Collect(maps.Values(rt.sessions))
	conns := slices.Collect(maps.Keys(rt.conns))
	rt.mu.Unlock()
	rt.opts.Logger.Error("the runtime stops: its store is gone", "error", err)
	hangUp := func(c *connection) { c.link.Close(lostStore) }
	for _, s := range sessions {
		s.away(hangUp)
	}
	for _, j := range jobs {
		if !j.remote.Load() && !j.over.Load() {
			rt.letGo(j, ErrStopped, true)
		}
	}
	for _, c := range conns {
		hangUp(c)
	}
	close(rt.failed)
}

// storeError logs what the store has refused; once it has failed, that was said.
func (rt *Runtime) storeError(what string, err error, args ...any) {
	if rt.seq.Err() == nil {
		rt.opts.Logger.Error(what, append(args, "error", err)...)
	}
}
