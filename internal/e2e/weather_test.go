package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// TestBadWeather loses links at random, of an owner and an observer that read at random speeds with little room, and lets another process
// go on with the owner's session in the middle: each job's events are read once, in order, by everybody.
func TestBadWeather(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { newWeather(t, seed).run() })
		})
	}
}

type weather struct {
	t   *testing.T
	mu  sync.Mutex // over rng
	rng *rand.Rand
	rt  *local
}

func newWeather(t *testing.T, seed uint64) *weather {
	w := &weather{t: t, rng: rand.New(rand.NewPCG(seed, 3))}
	w.rt = openLocal(t, map[string]arcprt.AgentFunc{"burst": w.burst})
	return w
}

func (w *weather) dice(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

// plan makes every other link a bad one, as long as there is bad weather: it comes to an end, for the test has to.
func (w *weather) plan(dial int) faulty.Plan {
	n := 2 + w.dice(60)
	if dial > 12 || w.dice(3) == 0 {
		return faulty.Plan{}
	}
	return faults[w.dice(len(faults))].plan(n)
}

const burstSize = 200

func (w *weather) burst(ctx context.Context, t *arcprt.Task) error {
	for i := range burstSize {
		if err := t.Emit(ctx, &arcp.ThoughtBody{Text: fmt.Sprint(i)}); err != nil {
			return err
		}
		if w.dice(20) == 0 {
			time.Sleep(time.Duration(w.dice(400)) * time.Millisecond)
		}
	}
	return t.SetResult(arcp.RawJSON(`"done"`))
}

func (w *weather) options() *client.Options {
	return &client.Options{Token: "alice", HandshakeTimeout: 2 * time.Second, EventBytes: 400 * (1 + w.dice(100))}
}

func (w *weather) connect(d transport.Dialer) *client.Session {
	for range 50 {
		s, err := client.Connect(w.t.Context(), d, w.options())
		if err == nil {
			return s
		}
	}
	w.t.Fatal("no session")
	return nil
}

func (w *weather) run() {
	defer w.rt.close()
	owner, other := &exits{Dialer: faulty.Dialer(w.rt, w.plan)}, faulty.Dialer(w.rt, w.plan)
	a, b := w.connect(owner), w.connect(other)
	var wg sync.WaitGroup
	readers := make([]*reader, 3)
	for i := range readers {
		j, err := a.Submit(w.t.Context(), &arcp.JobSubmit{Agent: "burst"})
		if err != nil {
			w.t.Fatal(err)
		}
		readers[i] = &reader{w: w, id: j.ID()}
		ob := &reader{w: w, id: j.ID()}
		wg.Go(func() { ob.attach(b); ob.read(burstSize) })
	}
	w.readAll(a, readers, w.dice(burstSize))
	w.halt(a, owner)
	c := w.resume(owner, a.State())
	w.readAll(c, readers, burstSize)
	wg.Wait()
	for _, s := range []*client.Session{a, b, c} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		_ = s.Close(ctx)
		cancel()
	}
}

// halt stops a session where it is, as if its process were gone: what it is asked to send comes to nothing.
func (w *weather) halt(s *client.Session, d *exits) {
	d.shut.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.Close(ctx)
	if err := s.Err(); !errors.Is(err, client.ErrClosed) {
		w.t.Errorf("Err() = %v", err)
	}
	d.shut.Store(false)
}

// exits is a dialer whose connections say nothing more once it is shut.
type exits struct {
	transport.Dialer
	shut atomic.Bool
}

type exit struct {
	transport.Conn
	d *exits
}

func (d *exits) Dial(ctx context.Context) (transport.Conn, error) {
	c, err := d.Dialer.Dial(ctx)
	return &exit{c, d}, err
}

func (c *exit) Write(frame []byte) error {
	if c.d.shut.Load() {
		return errors.New("shut")
	}
	return c.Conn.Write(frame)
}

// readAll reads all jobs of a session up to n events.
func (w *weather) readAll(s *client.Session, readers []*reader, n int) {
	var wg sync.WaitGroup
	for _, r := range readers {
		wg.Go(func() { r.attach(s); r.read(n) })
	}
	wg.Wait()
}

func (w *weather) resume(d transport.Dialer, state client.State) *client.Session {
	for range 50 {
		s, err := client.Resume(w.t.Context(), d, state, w.options())
		if err == nil {
			return s
		}
		if errors.Is(err, client.ErrSessionExpired) {
			w.t.Fatalf("Resume = %v", err)
		}
	}
	w.t.Fatal("not resumed")
	return nil
}

// reader reads one job, from one handle after another.
type reader struct {
	w    *weather
	id   string
	job  *client.Job
	next int
	// Another process has just gone on: the last event that was read was not known to be processed, so it comes again.
	resumed bool
}

func (r *reader) attach(s *client.Session) {
	j, err := s.Attach(r.w.t.Context(), r.id)
	if err != nil {
		r.w.t.Errorf("Attach(%s) = %v", r.id, err)
	}
	r.resumed = r.job != nil
	r.job = j
}

// read reads up to n events, and the end behind the last. What is read and not processed is read again by the next process.
func (r *reader) read(n int) {
	t := r.w.t
	for r.job != nil && r.next <= burstSize {
		if r.next == n && n < burstSize {
			return
		}
		ev, err := r.job.Next(t.Context())
		switch {
		case r.next == burstSize && errors.Is(err, io.EOF):
			if res, err := r.job.Result(t.Context()); err != nil || string(res.Result) != `"done"` {
				t.Errorf("Result = %v, %v", res, err)
			}
			return
		case err != nil:
			t.Errorf("%s: Next = %v after %d", r.id, err, r.next)
			return
		}
		if note, ok := ev.Body.(*arcp.StatusBody); ok && note.Phase == arcp.PhaseBackPressure {
			continue // fetching again and again with little room leaves much unacknowledged
		}
		switch thought, ok := ev.Body.(*arcp.ThoughtBody); {
		case !ok:
			t.Errorf("%s: %s %+v at %d of the session, want event %d", r.id, ev.Kind, ev.Body, ev.Seq, r.next)
			return
		case r.resumed && thought.Text == fmt.Sprint(r.next-1):
			r.resumed = false
			continue
		case thought.Text != fmt.Sprint(r.next):
			t.Errorf("%s: event %s, want %d", r.id, thought.Text, r.next)
			return
		}
		r.next++
		if r.w.dice(30) == 0 {
			time.Sleep(time.Duration(r.w.dice(500)) * time.Millisecond)
		}
	}
}
