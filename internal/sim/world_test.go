package sim

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/arcpkit/arcp/internal/invariant"
	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// world is one run of the simulation.
type world struct {
	t        *testing.T
	seed     uint64
	kind     kind
	store    *store.Memory
	opts     arcprt.Options
	small    bool // the cap on what is kept is so low that a session may lose events and with them the right to resume
	runtimes *invariant.Recorder
	clients  *invariant.Recorder
	serving  sync.WaitGroup
	agents   sync.WaitGroup // what runs of agents, even after their jobs have ended
	log      syncBuffer
	begun    time.Time
	wrap     func(transport.Conn) transport.Conn // plants a bug between the runtime and what is recorded; may be nil
	mutate   func(store.Store) store.Store       // plants one between the runtime and its store; may be nil
	roads    atomic.Int64                        // dials of those who do not care which node they reach

	mu       sync.Mutex
	jobs     []string    // every id that anybody was told
	claims   []claim     // every session and token that anybody was told
	keyed    []keyedWork // every submit with a key
	readings []*reading  // what iterators yielded
	nodes    []*node     // that clients find
	died     bool        // a runtime did
	down     bool        // the last runtime was told to stop
	early    bool        // while clients were at work
}

// claim is what resumes a session.
type claim struct{ session, token string }

type keyedWork struct {
	principal string
	submit    arcp.JobSubmit
}

// principals and the tokens they present; secrets are what only they may see.
var principals = []string{"alice", "bob"}

func tokenOf(principal string) string  { return "bearer-of-" + principal + "-0123456789" }
func canaryOf(principal string) string { return "canary-of-" + principal + "-0123456789" }

// rng is the randomness of one actor of a run, so that what one does not depend on how often another one drew.
func (w *world) rng(actor uint64) *rand.Rand { return rand.New(rand.NewPCG(w.seed, actor)) }

// open makes the world of a seed.
func open(t *testing.T, seed uint64, k kind) *world {
	w := blank(t, seed, k)
	for range w.settle() {
		w.start()
	}
	return w
}

// blank makes a world without a runtime.
func blank(t *testing.T, seed uint64, k kind) *world {
	w := &world{
		t: t, seed: seed, kind: k, store: store.NewMemory(), begun: time.Now(), runtimes: invariant.NewRecorder(), clients: invariant.NewRecorder(),
	}
	r := w.rng(0)
	tokens := arcprt.StaticTokens{}
	for _, p := range principals {
		tokens[arcp.HashToken(tokenOf(p))] = p
	}
	w.opts = arcprt.Options{
		Verifier: tokens,
		Logger:   slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Limits: arcprt.Limits{
			HeartbeatInterval: pick(r, -1, 5*time.Second, 30*time.Second),
			ResumeWindow:      pick(r, 20*time.Second, time.Minute, 10*time.Minute),
			CancelGrace:       pick(r, time.Second, 10*time.Second),
			ChunkBytes:        pick[int64](r, 0, 64),
			AckLagEvents:      pick[int64](r, 0, 0, 20),
		},
	}
	if r.IntN(5) == 0 {
		w.small = true
		w.opts.Limits.RetainedBytes = pick[int64](r, 2_000, 20_000)
	}
	if r.IntN(4) == 0 {
		w.opts.Limits.UnwrittenBytes = pick[int64](r, 3_000, 30_000)
	}
	return w
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// settle says how many runtimes there are at first.
func (w *world) settle() int {
	if w.kind == single {
		return 1
	}
	r := w.rng(5)
	if w.kind == restarted {
		return 1
	}
	w.opts.Shared, w.opts.OrphanScan = true, pick(r, time.Second, 5*time.Second)
	return pick(r, 2, 2, 3)
}

// dial connects to one node after the other, with the faults of plan at the runtime's end.
func (w *world) dial(plan faulty.Plan, capacity int) transport.Conn {
	return w.dialAt(w.node(int(w.roads.Add(1))), plan, capacity)
}

// plan draws what goes wrong with one end of one link; mostly nothing.
func plan(r *rand.Rand) faulty.Plan {
	p := faulty.Plan{Split: r.IntN(4) == 0}
	n := 1 + r.IntN(40)
	switch r.IntN(14) {
	case 0:
		p.CutRead = n
	case 1:
		p.CutWrite = n
	case 2:
		p.CutAfterWrite = n
	case 3:
		p.FreezeRead = n
	case 4:
		p.FreezeWrite = n
	case 5:
		p.LoseWrite = n
	case 6:
		p.DelayRead = time.Duration(1+r.IntN(300)) * time.Millisecond
	case 7:
		p.DelayWrite = time.Duration(1+r.IntN(300)) * time.Millisecond
	}
	return p
}

// simulate is one run: actors do what the seed says, then everything comes to its end and is judged.
func simulate(t *testing.T, seed uint64) {
	w := open(t, seed, kindOf(seed))
	r := w.rng(1)
	end := w.fates()
	var actors sync.WaitGroup
	for i := range 1 + r.IntN(4) {
		b := newBare(w, uint64(100+i), pick(r, principals...))
		actors.Go(b.run)
	}
	for i := range r.IntN(3) {
		actors.Go(newCareful(w, uint64(200+i), pick(r, principals...)).run)
	}
	if r.IntN(8) == 0 {
		actors.Go(func() { w.stopEarly(r.IntN(60)) })
	}
	actors.Wait()
	end()
	if !w.isDown() {
		w.audit()
	}
	w.shutdown(time.Minute)
	w.judge()
}

// stopEarly stops the runtime while its clients are at work.
func (w *world) stopEarly(after int) {
	time.Sleep(time.Duration(after) * time.Second)
	w.mu.Lock()
	w.early = true
	w.died = w.kind != single // what has not ended in time is left to others
	w.mu.Unlock()
	w.shutdown(2 * time.Second)
}

func (w *world) shutdown(patience time.Duration) {
	w.mu.Lock()
	w.down = true
	w.mu.Unlock()
	for n := w.node(0); n != nil; n = w.node(0) {
		if w.remove(n) {
			n.leave(patience)
		}
	}
	w.serving.Wait()
	w.agents.Wait()
}

func (w *world) isDown() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.down
}

// judge holds the traces of both sides and the log against the promises.
func (w *world) judge() {
	o := invariant.Options{Principal: principalOf, Secrets: map[string]string{}, Died: w.hasDied(), Forgetful: w.small}
	for _, p := range principals {
		o.Secrets[canaryOf(p)] = p
	}
	trace := w.runtimes.Trace()
	for i := range trace {
		if bytes.Contains(trace[i].Data, []byte(`"event_seq":`)) {
			total.events.Add(1)
		}
	}
	total.census.count(trace, w.log.bytes())
	for _, leak := range invariant.Leaks(trace, o, w.log.bytes()) {
		w.fail("the log shows the secret %q", leak)
	}
	w.report("clients", w.clients.Trace(), o)
	w.compare(w.logs())
	o.Whole = !w.early
	w.report("runtime", trace, o)
	if *one != 0 && w.t.Failed() {
		for i, s := range trace {
			w.t.Logf("%6d %s", i, s)
		}
		w.t.Logf("%s", w.log.bytes())
	}
}

func principalOf(token string) string {
	for _, p := range principals {
		if token == tokenOf(p) {
			return p
		}
	}
	return "nobody"
}

func (w *world) report(side string, trace invariant.Trace, o invariant.Options) {
	for i, v := range invariant.Check(trace, o) {
		w.fail("as the %s saw it: %v", side, v)
		if i == 0 {
			w.t.Log("\n" + trace.Around(v.Step, 8))
		}
	}
}

// fail counts and reports a violation.
func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	total.violations.Add(1)
	w.t.Errorf("seed %d -world %s: %s", w.seed, w.kind, fmt.Sprintf(format, args...))
}

// know notes a job that somebody was told of, for others to ask about.
func (w *world) know(job string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.jobs, job) {
		w.jobs = append(w.jobs, job)
	}
}

// anyJob is a job that somebody knows, or one that does not exist.
func (w *world) anyJob(r *rand.Rand) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.jobs) == 0 || r.IntN(8) == 0 {
		return "job_00000000000000000000000000"
	}
	return w.jobs[r.IntN(len(w.jobs))]
}

// syncBuffer is where the runtime logs to.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buf.Bytes())
}
