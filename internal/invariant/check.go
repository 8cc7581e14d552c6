package invariant

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Rule names a promise; see the package comment.
type Rule string

// The rules.
const (
	Wire         Rule = "W"
	Numbers      Rule = "I1"
	OneEnd       Rule = "I2"
	EveryEnd     Rule = "I3"
	OneLog       Rule = "I4"
	Secrecy      Rule = "I5"
	Strangers    Rule = "I9"
	Keys         Rule = "I10"
	NoSideEffect Rule = "I11"
)

// Violation is one broken promise.
type Violation struct {
	Rule    Rule
	Step    int // index into the trace, -1 when no step shows it
	Link    int
	At      time.Duration
	Session string
	Job     string
	Text    string
}

// String says all of it in one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s (step %d, link %d, at %v, session %q, job %q)", v.Rule, v.Text, v.Step, v.Link, v.At, v.Session, v.Job)
}

// Options says what a trace cannot.
type Options struct {
	// Principal tells who presents a token; nil takes the token for the name.
	Principal func(token string) string
	// Whole says that nothing is under way any more: what was accepted has ended, and its end was shown to somebody.
	Whole bool
	// Forgetful says that the runtime keeps so little for a session without a link that answers which were under way may be lost.
	Forgetful bool
	// Died says that a runtime died, which may be the end of its jobs.
	Died bool
	// Secrets are canaries and the one principal that may see each; "" is nobody.
	Secrets map[string]string
}

// Check returns what is broken, in the order of the trace.
func Check(t Trace, o Options) []Violation {
	if o.Principal == nil {
		o.Principal = func(token string) string { return token }
	}
	c := &checker{
		o: o, trace: t, frames: make([]*arcp.Envelope, len(t)),
		links: map[int]*link{}, sessions: map[string]*session{}, jobs: map[string]*job{}, keys: map[key]*uses{},
		owners: map[string]string{}, tokens: map[string]string{}, bearers: map[string]bool{},
		mentioned: map[mention]bool{}, notFound: map[arcp.MessageType]string{},
	}
	c.learn()
	for i := range t {
		c.at = i
		c.step(&t[i], c.frames[i])
	}
	c.at = -1
	c.close()
	slices.SortStableFunc(c.found, func(a, b Violation) int { return cmp.Compare(uint(a.Step), uint(b.Step)) })
	return c.found
}

type checker struct {
	o      Options
	trace  Trace
	frames []*arcp.Envelope // nil where a frame cannot be read
	at     int
	found  []Violation

	links    map[int]*link
	sessions map[string]*session
	jobs     map[string]*job
	keys     map[key]*uses
	skips    []skip

	owners    map[string]string // principal by session and job id, of the whole trace
	tokens    map[string]string // session by resume token, as they are issued
	bearers   map[string]bool
	mentioned map[mention]bool
	notFound  map[arcp.MessageType]string // the one answer for what cannot be seen
}

// link is one connection.
type link struct {
	principal string
	hello     *arcp.Envelope // hello or resume
	resume    *arcp.Resume
	asked     []arcp.Feature
	session   *session // nil before the welcome
	refused   bool     // the handshake was
	over      bool     // closed or bye was sent
	lastSeq   uint64
	sequenced bool // lastSeq is set
}

// session is a client's identity over all its links.
type session struct {
	id        string
	principal string
	features  []arcp.Feature
	old       bool   // it began before the trace, which may miss what it asked for
	base      uint64 // numbers up to it came before the trace
	numbers   []int  // step by event_seq - base - 1
	streams   map[string]*stream
	requests  map[string]*request
	answers   map[string]int // step by id, of frames without a number
}

func (s *session) has(f arcp.Feature) bool { return f == "" || slices.Contains(s.features, f) }

func (c *checker) fail(rule Rule, session, job, format string, args ...any) {
	v := Violation{Rule: rule, Step: c.at, Session: session, Job: job, Text: fmt.Sprintf(format, args...)}
	if c.at >= 0 {
		v.Link, v.At = c.trace[c.at].Link, c.trace[c.at].At
	}
	c.found = append(c.found, v)
}

// learn reads all frames and finds out whose the sessions and jobs are.
func (c *checker) learn() {
	who := map[int]string{}
	for i := range c.trace {
		st := &c.trace[i]
		e, err := arcp.Decode(st.Data)
		if err != nil {
			continue
		}
		c.frames[i] = e
		switch p := e.Payload.(type) {
		case *arcp.SessionHello:
			who[st.Link] = c.o.Principal(p.Auth.Token.Reveal())
		case *arcp.SessionResume:
			who[st.Link] = c.o.Principal(p.Auth.Token.Reveal())
		case *arcp.SessionWelcome:
			c.own(e.SessionID, who[st.Link])
		case *arcp.JobAccepted:
			c.own(p.JobID, who[st.Link])
		}
	}
}

// own keeps the first owner: a later one is a violation that the main pass sees.
func (c *checker) own(id, principal string) {
	if _, ok := c.owners[id]; !ok {
		c.owners[id] = principal
	}
}

func (c *checker) step(st *Step, e *arcp.Envelope) {
	l := c.links[st.Link]
	if l == nil {
		l = &link{}
		c.links[st.Link] = l
	}
	if st.From == arcp.FromClient {
		if e != nil {
			c.mention(l, st.Data)
			c.fromClient(l, e)
		}
		return
	}
	if e == nil {
		c.fail(Wire, "", "", "the runtime's frame cannot be read")
		return
	}
	c.wire(l, st, e)
	c.fromRuntime(l, e)
	c.exposed(l, st, e)
}

// fromRuntime hands a frame to the rules it concerns.
func (c *checker) fromRuntime(l *link, e *arcp.Envelope) {
	switch p := e.Payload.(type) {
	case *arcp.SessionWelcome:
		c.welcome(l, e, p)
		return
	case *arcp.SessionClosed, *arcp.SessionBye:
		l.over = true
	case *arcp.SessionError:
		if l.session == nil {
			l.refused = true
		}
	}
	s := l.session
	if s == nil {
		return
	}
	if e.EventSeq != 0 {
		if c.number(l, s, e) {
			c.entry(s, e)
		}
		return
	}
	if c.once(s, e) {
		c.answer(s, e)
	}
}

// close judges what only the end of the trace shows.
func (c *checker) close() {
	c.closeLogs()
	c.closeKeys()
}

// Report tells a test what is broken in what was recorded, each with the frames around it.
func (r *Recorder) Report(t interface {
	Helper()
	Errorf(format string, args ...any)
}, o Options,
) {
	t.Helper()
	trace := r.Trace()
	for _, v := range Check(trace, o) {
		t.Errorf("%v\n%s", v, trace.Around(v.Step, 6))
	}
}
