package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// careful is a client of package client. Whatever its links do, each of its iterators must yield each event once, in order.
type careful struct {
	w         *world
	name      string
	principal string
	r         *rand.Rand
	readers   sync.WaitGroup
	read      map[*client.Job]bool // has a reader; a second one would share the events with the first

	left    map[*client.Job]bool // unsubscribed from
	options client.Options
	sparse  bool          // sees logs with holes
	watched []*client.Job // observed, and not unsubscribed from yet

	mu    sync.Mutex
	dials *rand.Rand // the dialer's own: who dials next is not for the seed to say
	kind  bool       // links have no faults any more
	down  time.Time  // until when there is no way to the runtime
}

func newCareful(w *world, actor uint64, principal string) *careful {
	return &careful{w: w, name: fmt.Sprint("p", actor), principal: principal, read: map[*client.Job]bool{}, left: map[*client.Job]bool{}, r: w.rng(actor), dials: w.rng(actor + 1_000_000)}
}

// way is how one session gets to the runtime. A process that dies takes its way along.
type way struct {
	c *careful

	mu   sync.Mutex
	dead bool
	last transport.Conn
}

// Dial makes a link with or without faults, or none while the network is down.
func (w *way) Dial(context.Context) (transport.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return nil, errDown
	}
	conn, err := w.c.dial()
	w.last = conn
	return conn, err
}

// kill ends the link and makes no other one.
func (w *way) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
	if w.last != nil {
		_ = w.last.Close("the process died")
	}
}

var errDown = errors.New("no way to the runtime")

func (c *careful) dial() (transport.Conn, error) {
	c.mu.Lock()
	near, far, capacity := faulty.Plan{}, faulty.Plan{}, pick(c.dials, 4<<10, 256<<10)
	if p, q := plan(c.dials), plan(c.dials); !c.kind {
		near, far = c.told(p), c.told(q)
	}
	down := time.Until(c.down) > 0
	c.mu.Unlock()
	if down || c.w.isDown() {
		return nil, errDown
	}
	return c.w.clients.Conn(faulty.New(c.w.dial(far, capacity), near), arcp.FromClient), nil
}

// told leaves out the faults that nobody can notice where there are no heartbeats.
func (c *careful) told(p faulty.Plan) faulty.Plan {
	if c.w.opts.Limits.HeartbeatInterval < 0 {
		p.FreezeRead, p.FreezeWrite, p.LoseWrite = 0, 0, 0
	}
	return p
}

func (c *careful) outage(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = time.Now().Add(d)
}

// run opens one session after another, each with its jobs, until it has had enough.
func (c *careful) run() {
	for range 1 + c.r.IntN(3) {
		c.options = client.Options{
			Name: c.name, Token: tokenOf(c.principal), EventBytes: pick(c.r, 0, 0, 3_000), HandshakeTimeout: 5 * time.Second,
			Reconnect: &client.Reconnect{Jitter: -1},
		}
		if c.sparse = c.r.IntN(3) == 0; c.sparse {
			c.options.Features = slices.DeleteFunc(arcp.Features(), isGated)
		}
		w := &way{c: c}
		s := c.persist(func(ctx context.Context) (*client.Session, error) { return client.Connect(ctx, w, &c.options) })
		for s != nil {
			s = c.use(w, s)
			w = &way{c: c}
		}
	}
}

// isGated says whether it is seen by the indexes of events that a feature is missing.
func isGated(f arcp.Feature) bool { return f == arcp.FeatureProgress || f == arcp.FeatureResultChunk }

// persist tries until there is a session, or cannot be.
func (c *careful) persist(open func(context.Context) (*client.Session, error)) *client.Session {
	for !c.w.isDown() {
		s, err := open(context.Background())
		if err == nil || errors.Is(err, client.ErrSessionExpired) {
			return s
		}
		time.Sleep(time.Second)
	}
	return nil
}

// use is the life of one process with a session: jobs, watching, cancels, outages, then the end of all that it reads, or its own.
func (c *careful) use(w *way, s *client.Session) (next *client.Session) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	var own []*client.Job
	c.watched = nil
	for range 3 + c.r.IntN(15) {
		own = c.act(ctx, s, own)
	}
	if c.r.IntN(4) == 0 {
		cancel()
		return c.handOver(w, s, own)
	}
	c.isKind(true)
	c.readers.Wait()
	c.isKind(false)
	closing, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	_ = s.Close(closing)
	if err := s.Err(); err == nil {
		c.w.fail("%s: a closed session has no error", c.name)
	}
	return nil
}

// isKind takes faults from the links to come, or gives them back.
func (c *careful) isKind(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kind = yes
}

func (c *careful) act(ctx context.Context, s *client.Session, own []*client.Job) []*client.Job {
	switch c.r.IntN(13) {
	case 0, 1, 2, 3:
		if j := c.submit(ctx, s); j != nil {
			own = append(own, j)
		}
	case 4, 5:
		c.watch(ctx, s)
	case 6:
		if len(own) > 0 {
			c.cancel(ctx, s, own[c.r.IntN(len(own))])
		}
	case 7:
		c.list(ctx, s)
	case 8:
		c.outage(pick(c.r, time.Second, 10*time.Second))
	case 9:
		if c.r.IntN(4) == 0 {
			c.outage(c.w.opts.Limits.ResumeWindow + time.Minute)
		}
	case 10:
		if n := len(c.watched); n > 0 {
			_ = c.watched[n-1].Unsubscribe(ctx)
			c.left[c.watched[n-1]] = true
			c.watched = c.watched[:n-1]
		}
	default:
		time.Sleep(time.Duration(c.r.IntN(5000)) * time.Millisecond)
	}
	return own
}

// handOver lets the process die and another one go on with what it left: the session, and how far each job was read.
func (c *careful) handOver(w *way, s *client.Session, own []*client.Job) *client.Session {
	c.readers.Wait()
	text, err := s.State().MarshalBinary()
	if err != nil {
		c.w.fail("%s: MarshalBinary = %v", c.name, err)
		return nil
	}
	w.kill()
	_ = s.Close(context.Background())
	var state client.State
	if err := state.UnmarshalBinary(text); err != nil {
		c.w.fail("%s: UnmarshalBinary = %v", c.name, err)
		return nil
	}
	to := &way{c: c}
	next := c.persist(func(ctx context.Context) (*client.Session, error) { return client.Resume(ctx, to, state, &c.options) })
	if next == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	newest := map[string]*client.Job{} // a job that was read to its end may have been submitted again, with its key
	jobs := append(own, c.watched...)
	c.watched = nil
	for _, j := range jobs {
		newest[j.ID()] = j
	}
	for _, j := range jobs {
		if newest[j.ID()] != j {
			continue
		}
		delete(newest, j.ID()) // own may hold it twice
		last, live, whole := c.w.lastRead(j)
		if whole || c.left[j] { // it may be its own, by its key, and no State has it any more
			continue
		}
		again, err := next.Attach(ctx, j.ID())
		if err != nil {
			c.excuse("Attach", next, err)
			continue
		}
		c.follow(ctx, next, again, start{after: last, again: true, live: live})
	}
	c.isKind(true)
	c.readers.Wait()
	c.isKind(false)
	_ = next.Close(ctx)
	return nil
}

// submit starts a job, its reader and one who waits for its result.
func (c *careful) submit(ctx context.Context, s *client.Session) *client.Job {
	p := (&bare{r: c.r}).work()
	if c.r.IntN(4) == 0 {
		p.IdempotencyKey = fmt.Sprint(c.name, "-", c.r.Uint32())
		c.w.keep(keyedWork{c.principal, p})
	} else if q, ok := c.w.again(c.r, c.principal); ok && c.r.IntN(4) == 0 {
		p = q
	}
	j, err := s.Submit(ctx, &p)
	if err != nil {
		c.excuse("Submit", s, err, arcp.CodeAgentNotAvailable, arcp.CodeDuplicateKey)
		return nil
	}
	c.w.know(j.ID())
	c.follow(ctx, s, j, start{})
	return j
}

// watch follows any job, from the beginning or from now on.
func (c *careful) watch(ctx context.Context, s *client.Session) {
	id, history := c.w.anyJob(c.r), c.r.IntN(3) > 0
	j, err := s.Subscribe(ctx, id, &client.SubscribeOptions{History: history})
	if err != nil {
		c.excuse("Subscribe", s, err, arcp.CodeJobNotFound)
		return
	}
	if c.follow(ctx, s, j, start{live: !history}) {
		c.watched = append(c.watched, j)
	}
}

func (c *careful) cancel(ctx context.Context, s *client.Session, j *client.Job) {
	if err := j.Cancel(ctx, "so"); err != nil {
		c.excuse("Cancel", s, err, arcp.CodeInvalidRequest, arcp.CodePermissionDenied)
	}
}

func (c *careful) list(ctx context.Context, s *client.Session) {
	seen := map[string]bool{}
	for row, err := range s.Jobs(ctx, nil) {
		switch {
		case err != nil:
			c.excuse("Jobs", s, err)
			return
		case seen[row.JobID]:
			c.w.fail("%s: Jobs has %s twice", c.name, row.JobID)
		}
		seen[row.JobID] = true
	}
}

// excuse reports an error that is neither an answer which may come nor the end of a session that could not be held.
func (c *careful) excuse(what string, s *client.Session, err error, codes ...arcp.ErrorCode) {
	for _, code := range codes {
		if errors.Is(err, code) {
			return
		}
	}
	lost := errors.Is(err, client.ErrSessionExpired) || errors.Is(err, client.ErrLinkLost)
	given := errors.Is(err, context.Canceled) || errors.Is(err, client.ErrUnsubscribed) // given up, as it was meant to be
	dying := c.w.kind != single && errors.Is(err, arcp.CodeInternalError)               // so was its node
	if given || dying || c.w.isDown() || c.w.small || lost && c.w.silence(s.ID())+longestWait >= c.w.opts.Limits.ResumeWindow {
		return
	}
	c.w.fail("%s, session %s: %s = %v", c.name, s.ID(), what, err)
}

// longestWait is how long a client waits between two attempts; it does not begin a wait that would outlast the window.
const longestWait = 10 * time.Second

// silence is the longest time in which nothing arrived for a session, up to now.
func (w *world) silence(session string) (longest time.Duration) {
	var last time.Duration
	mark := []byte(session)
	for _, s := range w.clients.Trace() {
		if s.From == arcp.FromRuntime && bytes.Contains(s.Data, mark) {
			longest, last = max(longest, s.At-last), s.At
		}
	}
	return max(longest, time.Since(w.begun)-last)
}

// follow reads a job's events and its result until its end, unless somebody reads them already.
func (c *careful) follow(ctx context.Context, s *client.Session, j *client.Job, from start) bool {
	if c.read[j] {
		return false
	}
	c.read[j] = true
	nap := pick(c.r, 0, 0, 0, time.Duration(c.r.IntN(500))*time.Millisecond)
	c.readers.Go(func() {
		got, err := read(ctx, j, nap)
		if err != nil {
			c.excuse("Next of "+j.ID(), s, err)
		}
		_, result := j.Result(ctx)
		whole := err == nil && (result == nil || arcp.IsRemote(result))
		c.w.record(&reading{client: c.name, of: j, job: j.ID(), from: from, sparse: c.sparse, got: got, whole: whole, failure: result})
	})
	return true
}
