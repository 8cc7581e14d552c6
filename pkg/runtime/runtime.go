package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// ErrShutdown is what a runtime answers that was shut down.
var ErrShutdown = errors.New("runtime: shut down")

// Runtime runs agents for clients. Its methods may be called from any goroutine.
type Runtime struct {
	opts   Options
	agents agents
	tools  tools
	store  store.Store
	node   store.Node
	seq    *journal.Sequencer
	start  time.Time // zero of the monotonic clock that machines are told
	// lasting says that the store may have been there before this runtime, or be there after it.
	lasting  bool
	starting chan struct{} // held while what the store holds is taken up
	started  atomic.Bool
	count    *counters
	quotas   *quotas     // what each principal has
	back     *background // what is done beside connections and jobs

	mu            sync.Mutex
	submits       keyLocks
	adopting      keyLocks
	conns         map[*connection]struct{}
	sessions      map[string]*session
	tokens        map[arcp.TokenHash]*session // by the tokens that resume them
	owners        map[string]*owner           // of the jobs being taken up; nil at other times
	waiting       []func()                    // agents to run once all orphans are taken over; nil while none are
	jobs          map[string]*job
	keyrings      map[*keyring]struct{} // what is minted, or may be, and not revoked
	reaped        chan struct{}         // closed when the last of them goes; nil when nobody waits
	finished      []*job                // oldest first
	keyed         []*job                // finished ones that an idempotency key leads to, oldest first
	finishedBytes int                   // kept of those that no key leads to, in a store that is memory
	cache         cache
	sweeper       *time.Timer // forgets finished jobs while nothing else happens
	stopping      bool
	failure       error         // why the store is gone; nil while it is not
	failed        chan struct{} // closed once it is
	idle          chan struct{} // closed when the last running job ends; nil when nobody waits
	gone          chan struct{} // closed when the last connection ends; nil when nobody waits
	running       int
}

// New returns a runtime. It fails on options that do not say who may come in, and on a store that cannot be joined.
func New(o *Options) (*Runtime, error) {
	opts, err := resolved(o)
	if err != nil {
		return nil, err
	}
	node, err := opts.Store.Join(context.Background(), store.NodeID(arcp.NewID("node")))
	if err != nil {
		return nil, fmt.Errorf("runtime: joining the store: %w", err)
	}
	rt := &Runtime{
		opts:  opts,
		store: opts.Store,
		node:  node,
		seq:   journal.New(opts.Store, opts.Limits.journal()),
		start: time.Now(),

		lasting:  o.Store != nil,
		starting: make(chan struct{}, 1),
		failed:   make(chan struct{}),

		back:  newBackground(),
		conns: map[*connection]struct{}{},
		jobs:  map[string]*job{},

		keyrings: map[*keyring]struct{}{},
		sessions: map[string]*session{},
		tokens:   map[arcp.TokenHash]*session{},
	}
	rt.count, rt.quotas = newCounters(), newQuotas(&rt.opts.Limits)
	rt.seq.Private, rt.seq.Fetched = !rt.lasting, rt.fetched
	rt.cache.most, rt.cache.off = opts.Limits.FinishedBytes, opts.Store.Level() == store.Volatile
	return rt, nil
}

// Handle registers an agent under name or name@version; a bare name means version 1.0.0 (§7.5). Sessions see the agents
// registered when they were welcomed, and may submit to those registered later too.
func (rt *Runtime) Handle(ref string, a Agent) error {
	if a == nil {
		return fmt.Errorf("runtime: agent %s is nil", ref)
	}
	return rt.agents.add(ref, a)
}

// SetDefault says which version of an agent a bare name means. Without it that is the highest by SemVer, else the last registered.
func (rt *Runtime) SetDefault(name, version string) error { return rt.agents.setDefault(name, version) }

func (rt *Runtime) now() time.Duration { return time.Since(rt.start) }

// seconds converts a count of seconds from the wire or the limits, clamped to what a Duration holds.
func seconds(n uint64) time.Duration {
	return time.Duration(min(n, uint64(1<<63-1)/uint64(time.Second))) * time.Second
}
