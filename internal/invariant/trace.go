package invariant

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

// Step is one frame that passed a recorded end.
type Step struct {
	// At is the time since the recorder was made.
	At time.Duration
	// Link numbers the connection, from 1.
	Link int
	// From is who sent the frame: arcp.FromClient or arcp.FromRuntime.
	From arcp.Side
	// Data is the frame.
	Data []byte
}

// String is the step in one line, its frame cut short.
func (s Step) String() string {
	arrow := "->"
	if s.From == arcp.FromRuntime {
		arrow = "<-"
	}
	const most = 240
	data, more := s.Data, ""
	if len(data) > most {
		data, more = data[:most], "..."
	}
	return fmt.Sprintf("%12v link %d %s %s%s", s.At, s.Link, arrow, data, more)
}

// Trace is what was recorded, in order.
type Trace []Step

// Around shows n steps before and after step at, of all links that speak of one of the same session or job as that step.
func (t Trace) Around(at, n int) string {
	if at < 0 || at >= len(t) {
		return ""
	}
	ids := idsIn(t[at].Data)
	related := func(i int) bool {
		return t[i].Link == t[at].Link || slices.ContainsFunc(ids, func(id string) bool { return bytes.Contains(t[i].Data, []byte(id)) })
	}
	var before, after []int
	for i := at; i >= 0 && len(before) <= n; i-- {
		if related(i) {
			before = append(before, i)
		}
	}
	for i := at + 1; i < len(t) && len(after) < n; i++ {
		if related(i) {
			after = append(after, i)
		}
	}
	slices.Reverse(before)
	var out strings.Builder
	for _, i := range append(before, after...) {
		fmt.Fprintf(&out, "%6d %s\n", i, t[i])
	}
	return out.String()
}

// Recorder notes frames. Its zero value is not ready; its methods may be called from any goroutine.
type Recorder struct {
	start time.Time
	mu    sync.Mutex
	links int
	trace Trace
}

// NewRecorder returns an empty recorder whose time begins now.
func NewRecorder() *Recorder { return &Recorder{start: time.Now()} }

// Conn records what passes c. side says whose end it is: what arcp.FromRuntime writes comes from the runtime.
func (r *Recorder) Conn(c transport.Conn, side arcp.Side) transport.Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.links++
	return &conn{Conn: c, rec: r, link: r.links, side: side}
}

// Dialer records every connection of d, at the client's end.
func (r *Recorder) Dialer(d transport.Dialer) transport.Dialer {
	return transport.DialerFunc(func(ctx context.Context) (transport.Conn, error) {
		c, err := d.Dial(ctx)
		if err != nil {
			return nil, err
		}
		return r.Conn(c, arcp.FromClient), nil
	})
}

// Trace returns what has been recorded so far.
func (r *Recorder) Trace() Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.trace)
}

func (r *Recorder) note(link int, from arcp.Side, frame []byte) {
	step := Step{At: time.Since(r.start), Link: link, From: from, Data: bytes.Clone(frame)}
	r.mu.Lock()
	r.trace = append(r.trace, step)
	r.mu.Unlock()
}

type conn struct {
	transport.Conn
	rec  *Recorder
	link int
	side arcp.Side
}

// Read notes the frame before anybody can act on it.
func (c *conn) Read(dst []byte) ([]byte, error) {
	n := len(dst)
	f, err := c.Conn.Read(dst)
	if err == nil {
		c.rec.note(c.link, arcp.FromBoth&^c.side, f[n:])
	}
	return f, err
}

// Write notes the frame before the other end can see it.
func (c *conn) Write(frame []byte) error {
	c.rec.note(c.link, c.side, frame)
	return c.Conn.Write(frame)
}
