package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
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

	mu    sync.Mutex
	dials *rand.Rand // the dialer's own: who dials next is not for the seed to say
	kind  bool       // links have no faults any more
	down  time.Time  // until when there is no way to the runtime
}

func newCareful(w *world, actor uint64, principal string) *careful {
	return &careful{w: w, name: fmt.Sprint("p", actor), principal: principal, read: map[*client.Job]bool{}, r: w.rng(actor), dials: w.rng(actor + 1_000_000)}
}

// Dial makes a link with or without faults, or none while the network is down.
func (c *careful) Dial(ctx context.Context) (transport.Conn, error) {
	c.mu.Lock()
	near, far, capacity := faulty.Plan{}, faulty.Plan{}, pick(c.dials, 4<<10, 256<<10)
	if p, q := plan(c.dials), plan(c.dials); !c.kind {
		near, far = c.told(p), c.told(q)
	}
	down := time.Until(c.down) > 0
	c.mu.Unlock()
	if down || c.w.isDown() {
		return nil, errors.New("no way to the runtime")
	}
	return c.w.clients.Conn(faulty.New(c.w.dial(far, capacity), near), arcp.FromClient), nil
}

// told leaves out the faults that nobody can notice where there are no heartbeats.
func (c *careful) told(p faulty.Plan) faulty.Plan {
	if c.w.opts.HeartbeatInterval < 0 {
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
		if s := c.connect(); s != nil {
			c.use(s)
		}
	}
}

// connect tries until a session is open.
func (c *careful) connect() *client.Session {
	o := &client.Options{
		Name: c.name, Token: tokenOf(c.principal), EventBytes: pick(c.r, 0, 0, 3_000), HandshakeTimeout: 5 * time.Second,
		Reconnect: &client.Reconnect{Jitter: -1},
	}
	for !c.w.isDown() {
		s, err := client.Connect(context.Background(), c, o)
		if err == nil {
			return s
		}
		time.Sleep(time.Second)
	}
	return nil
}

// use is the life of one session: jobs, watching, cancels, outages, then the end of all that it reads.
func (c *careful) use(s *client.Session) {
	var own []*client.Job
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	for range 3 + c.r.IntN(15) {
		switch c.r.IntN(12) {
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
				c.outage(c.w.opts.ResumeWindow + time.Minute)
			}
		default:
			time.Sleep(time.Duration(c.r.IntN(5000)) * time.Millisecond)
		}
	}
	c.mu.Lock()
	c.kind = true
	c.mu.Unlock()
	c.readers.Wait()
	c.mu.Lock()
	c.kind = false
	c.mu.Unlock()
	closing, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	_ = s.Close(closing)
	if err := s.Err(); err == nil {
		c.w.fail("%s: a closed session has no error", c.name)
	}
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
	c.follow(ctx, s, j, 0)
	return j
}

// watch follows any job, from the beginning or from somewhere.
func (c *careful) watch(ctx context.Context, s *client.Session) {
	id, from := c.w.anyJob(c.r), uint64(0)
	j, err := s.Subscribe(ctx, id, &client.SubscribeOptions{History: true, From: from})
	if err != nil {
		c.excuse("Subscribe", s, err, arcp.CodeJobNotFound)
		return
	}
	c.follow(ctx, s, j, from)
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
	if c.w.isDown() || c.w.small || lost && c.w.silence(s.ID())+longestWait >= c.w.opts.ResumeWindow {
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
func (c *careful) follow(ctx context.Context, s *client.Session, j *client.Job, from uint64) {
	if c.read[j] {
		return
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
		c.w.record(&reading{client: c.name, job: j.ID(), from: from, got: got, whole: whole, failure: result})
	})
}

// read returns the events of a job in the order they came.
func read(ctx context.Context, j *client.Job, nap time.Duration) (got []arcp.Event, err error) {
	for ev, err := range j.Events(ctx) {
		if err != nil {
			return got, err
		}
		got = append(got, *ev)
		if nap > 0 {
			time.Sleep(nap)
		}
	}
	return got, nil
}

// reading is what one iterator yielded.
type reading struct {
	client  string
	job     string
	from    uint64
	got     []arcp.Event
	whole   bool // it came to the job's end
	failure error
}

func (w *world) record(r *reading) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.readings = append(w.readings, r)
}

// compare holds every reading against the log of its job.
func (w *world) compare(logs map[string]*jobLog) {
	for _, r := range w.readings {
		l := logs[r.job]
		if l == nil {
			if len(r.got) > 0 || r.whole {
				w.fail("%s has read job %s, of which no session was sent anything", r.client, r.job)
			}
			continue
		}
		next := uint64(0)
		for i := range r.got {
			id := r.got[i].ID
			index, err := strconv.ParseUint(strings.TrimPrefix(id, r.job+"."), 10, 64)
			if err != nil {
				continue // back pressure, which is the session's own
			}
			if next == 0 {
				next = r.from + 1
			}
			if index != next {
				w.fail("%s was given %s, want %s.%d", r.client, id, r.job, next)
			}
			if body, _ := r.got[i].Body.AppendJSON(nil); string(body) != l.bodies[index] {
				w.fail("%s was given %s as %s, the log has %s", r.client, id, body, l.bodies[index])
			}
			next = index + 1
		}
		if r.whole && next != 0 && next != l.end {
			w.fail("%s was given events of %s up to %d, and its end is at %d", r.client, r.job, next-1, l.end)
		}
		if r.whole && (r.failure == nil) != (l.code == "") || r.failure != nil && r.whole && arcp.CodeOf(r.failure) != l.code {
			w.fail("%s was told that %s ended as %v, the log has %q", r.client, r.job, r.failure, l.code)
		}
	}
}

// jobLog is what all sessions together were sent of a job.
type jobLog struct {
	bodies map[uint64]string
	end    uint64
	code   arcp.ErrorCode

	success bool
}

// logs gathers the logs of all jobs from what the runtime sent.
func (w *world) logs() map[string]*jobLog {
	logs := map[string]*jobLog{}
	for _, s := range w.runtimes.Trace() {
		if s.From != arcp.FromRuntime {
			continue
		}
		e, err := arcp.Decode(s.Data)
		if err != nil || e.EventSeq == 0 {
			continue
		}
		index, err := strconv.ParseUint(strings.TrimPrefix(e.ID, e.JobID+"."), 10, 64)
		if err != nil {
			continue
		}
		l := logs[e.JobID]
		if l == nil {
			l = &jobLog{bodies: map[uint64]string{}}
			logs[e.JobID] = l
		}
		switch p := e.Payload.(type) {
		case *arcp.JobEvent:
			body, _ := p.Body.AppendJSON(nil)
			l.bodies[index] = string(body)
		case *arcp.JobResult:
			l.end, l.code, l.success = index, "", true
		case *arcp.JobError:
			if l.end = index; !l.success { // a session that takes no chunks may be told of an error instead of the result
				l.code = p.Code
			}
		}
	}
	return logs
}
