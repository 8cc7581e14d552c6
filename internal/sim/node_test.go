package sim

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// node is one runtime as a process: it may be killed, and the store may count it as dead while it lives.
type node struct {
	w  *world
	rt *arcprt.Runtime

	// mu is held for reading by what the process does to the world, so that nothing of it is half done when it is killed.
	mu    sync.RWMutex
	id    store.NodeID
	dead  bool
	stale time.Duration // how long it takes to find out that the store counts it as dead
	lines map[*wire]struct{}
}

var errKilled = errors.New("the process was killed")

// start adds a runtime to the world.
func (w *world) start() *node {
	n := &node{w: w, lines: map[*wire]struct{}{}}
	o := w.opts
	if w.kind != single {
		o.Store = &engine{Memory: w.store, n: n}
	}
	if w.mutate != nil {
		o.Store = w.mutate(o.Store)
	}
	rt, err := arcprt.New(&o)
	if err != nil {
		w.t.Fatal(err)
	}
	n.rt = rt
	agent := arcprt.AgentFunc(func(ctx context.Context, t *arcprt.Task) error {
		w.agents.Add(1)
		defer w.agents.Done()
		return work(ctx, t)
	})
	n.handle("work", agent)
	if w.kind != single {
		n.handle("work@2.0.0", arcprt.Restartable(agent)) // which a bare name means
	}
	if err := rt.Start(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.nodes = append(w.nodes, n)
	down := w.down
	w.mu.Unlock()
	if down && w.remove(n) { // while it started
		n.leave(0)
	}
	return n
}

func (n *node) handle(ref string, a arcprt.Agent) {
	if err := n.rt.Handle(ref, a); err != nil {
		n.w.t.Fatal(err)
	}
}

// remove takes a node from those that clients find, and says whether it was one.
func (w *world) remove(n *node) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.nodes {
		if w.nodes[i] == n {
			w.nodes = append(w.nodes[:i:i], w.nodes[i+1:]...)
			return true
		}
	}
	return false
}

// node is one of those that clients find, nil when there is none.
func (w *world) node(k int) *node {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.nodes) == 0 {
		return nil
	}
	return w.nodes[k%len(w.nodes)]
}

// kill ends the process: no commit of it counts any more, its links are gone without a word, and the store finds out at once.
func (n *node) kill() {
	n.mu.Lock()
	n.dead = true
	id, lines := n.id, n.lines
	n.lines = nil
	n.mu.Unlock()
	for c := range lines {
		_ = c.Conn.Close("the process was killed")
	}
	n.w.store.Lose(id)
	n.wind()
}

// lose lets the store count a node as dead that lives, and finds out a while later: until then it goes on.
func (n *node) lose(after time.Duration) {
	n.mu.Lock()
	n.stale = after
	id := n.id
	n.mu.Unlock()
	n.w.store.Lose(id)
	time.Sleep(after)
	n.wind()
}

// leave shuts the node down.
func (n *node) leave(patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = n.rt.Shutdown(ctx)
}

// wind lets what is left of a dead process come to its end, which concerns nobody.
func (n *node) wind() {
	n.w.serving.Go(func() { n.leave(0) })
}

// dial connects to the node over a pipe whose runtime's end has the faults of plan. Without a node the other end hangs up.
func (w *world) dialAt(n *node, plan faulty.Plan, capacity int) transport.Conn {
	ours, theirs := transport.NewPipe(transport.PipeOptions{Bytes: capacity})
	if n == nil {
		_ = theirs.Close("nobody listens")
		return ours
	}
	end := &wire{Conn: w.runtimes.Conn(faulty.New(theirs, plan), arcp.FromRuntime), n: n}
	n.mu.Lock()
	if n.dead {
		n.mu.Unlock()
		_ = theirs.Close("nobody listens")
		return ours
	}
	n.lines[end] = struct{}{}
	n.mu.Unlock()
	var served transport.Conn = end
	if w.wrap != nil {
		served = w.wrap(end)
	}
	w.serving.Go(func() { _ = n.rt.Serve(context.Background(), served) })
	return ours
}

// wire is a node's end of a link. What the process does after it was killed does not get out.
type wire struct {
	transport.Conn
	n *node
}

func (c *wire) Write(frame []byte) error {
	c.n.mu.RLock()
	dead := c.n.dead
	c.n.mu.RUnlock()
	if dead {
		return errKilled
	}
	return c.Conn.Write(frame)
}

// engine is a node's way to the store, which outlives it.
type engine struct {
	*store.Memory
	n *node
}

// do does what changes the store, unless the node was killed.
func (e *engine) do(f func() error) error {
	e.n.mu.RLock()
	defer e.n.mu.RUnlock()
	if e.n.dead {
		return store.ErrClosed
	}
	return f()
}

func (e *engine) Level() store.Durability { return store.ProcessKill }

func (e *engine) Commit(ctx context.Context, b *store.Batch) error {
	return e.do(func() error { return e.Memory.Commit(ctx, b) })
}

func (e *engine) Acquire(ctx context.Context, id store.NodeID, key store.Key, old store.Epoch) (epoch store.Epoch, head store.Head, err error) {
	err = e.do(func() (err error) {
		epoch, head, err = e.Memory.Acquire(ctx, id, key, old)
		return err
	})
	return epoch, head, err
}

func (e *engine) Release(ctx context.Context, key store.Key, epoch store.Epoch) error {
	return e.do(func() error { return e.Memory.Release(ctx, key, epoch) })
}

func (e *engine) Trim(ctx context.Context, key store.Key, epoch store.Epoch, before uint64) error {
	return e.do(func() error { return e.Memory.Trim(ctx, key, epoch, before) })
}

func (e *engine) Post(ctx context.Context, key store.Key, c store.Command) error {
	return e.do(func() error { return e.Memory.Post(ctx, key, c) })
}

// Join notes under which name the store knows the node.
func (e *engine) Join(ctx context.Context, id store.NodeID) (store.Node, error) {
	n, err := e.Memory.Join(ctx, id)
	if err != nil {
		return nil, err
	}
	e.n.mu.Lock()
	e.n.id = id
	e.n.mu.Unlock()
	m := &member{Node: n, lost: make(chan struct{})}
	e.n.w.serving.Go(func() {
		<-n.Lost()
		time.Sleep(e.n.delay())
		close(m.lost)
	})
	return m, nil
}

func (n *node) delay() time.Duration {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.stale
}

// member is a node that may be late to hear of its death.
type member struct {
	store.Node
	lost chan struct{}
}

func (m *member) Lost() <-chan struct{} { return m.lost }

// Inbox is silent for as long as the node does not know that it is dead.
func (e *engine) Inbox(ctx context.Context, key store.Key, epoch store.Epoch) (store.Inbox, error) {
	in, err := e.Memory.Inbox(ctx, key, epoch)
	if err != nil {
		return nil, err
	}
	return &inbox{Inbox: in, n: e.n}, nil
}

type inbox struct {
	store.Inbox
	n *node
}

func (i *inbox) Next(ctx context.Context) (store.Command, error) {
	c, err := i.Inbox.Next(ctx)
	if d := i.n.delay(); err != nil && d > 0 {
		_ = sleep(ctx, d)
	}
	return c, err
}
