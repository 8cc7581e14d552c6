package runtime_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
)

// nodes is two runtimes, a and b, on one store, and their clients.
type nodes struct {
	*store.Memory
	a, b   *bench
	served sync.WaitGroup
	conns  []transport.Conn // closed in the end
	steps  chan struct{}    // each makes the agent "steps" emit once more; closed, it ends
}

// onNodes runs f in a bubble.
func onNodes(t *testing.T, f func(t *testing.T, n *nodes)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &nodes{Memory: store.NewMemory(), steps: make(chan struct{})}
		start := func() *bench {
			b := newBench(t, func(o *runtime.Options) { o.Store, o.Shared, o.Limits.Idle = n.Memory, true, -1 })
			if err := b.Handle("steps", runtime.AgentFunc(n.step)); err != nil {
				t.Fatal(err)
			}
			if err := b.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			return b
		}
		n.a, n.b = start(), start()
		defer func() {
			for _, c := range n.conns {
				_ = c.Close("")
			}
			n.a.stop(t)
			n.b.stop(t)
			n.served.Wait()
		}()
		f(t, n)
	})
}

func (n *nodes) step(ctx context.Context, task *runtime.Task) error {
	for i := 1; ; i++ {
		select {
		case _, ok := <-n.steps:
			if !ok {
				return task.SetResult(arcp.RawJSON(`"done"`))
			}
			if err := think(ctx, task, fmt.Sprint("step ", i)); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// owner returns the node that has a key.
func (n *nodes) owner(t *testing.T, kind store.Kind, id string) store.NodeID {
	t.Helper()
	h, err := n.Lookup(t.Context(), store.Key{Kind: kind, ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return h.Owner
}

// peer is a client of one of the nodes that notes what it hears.
type peer struct {
	t       *testing.T
	n       *nodes
	who     string
	conn    transport.Conn
	session string
	token   arcp.Secret
	last    uint64
}

// join opens a session; without features it has all that the tests need.
func (n *nodes) join(t *testing.T, at *bench, who string, features ...arcp.Feature) *peer {
	t.Helper()
	if features == nil {
		features = []arcp.Feature{arcp.FeatureSubscribe, arcp.FeatureListJobs, arcp.FeatureProgress, arcp.FeatureResultChunk}
	}
	p := &peer{t: t, n: n, who: who}
	p.dial(at)
	p.say("hello", &arcp.SessionHello{
		Client: arcp.Software{Name: "test"}, Auth: arcp.Auth{Token: arcp.MakeSecret(who)},
		Capabilities: &arcp.ClientCapabilities{Features: features},
	})
	p.welcomed()
	return p
}

func (p *peer) dial(at *bench) {
	ours, theirs := transport.Pipe()
	p.n.served.Go(func() { _ = at.Serve(context.Background(), ours) })
	p.conn = theirs
	p.n.conns = append(p.n.conns, theirs)
}

func (p *peer) welcomed() {
	p.t.Helper()
	e := hear(p.t, p.conn)
	w, ok := e.Payload.(*arcp.SessionWelcome)
	if !ok {
		p.t.Fatalf("got %+v, want a welcome", e.Payload)
	}
	p.session, p.token = e.SessionID, w.ResumeToken
}

// claim asks a node for the session.
func (p *peer) claim(at *bench, who string, token arcp.Secret, last uint64) {
	p.t.Helper()
	p.dial(at)
	p.say("resume", &arcp.SessionResume{Auth: arcp.Auth{Token: arcp.MakeSecret(who)}, ResumeToken: token, LastEventSeq: last})
}

func (p *peer) resume(at *bench, last uint64) {
	p.t.Helper()
	p.claim(at, p.who, p.token, last)
	p.welcomed()
	p.last = last
}

func (p *peer) say(id string, payload arcp.Payload) {
	p.t.Helper()
	say(p.t, p.conn, &arcp.Envelope{ID: id, SessionID: p.session, Payload: payload})
}

// hear returns the next frame in short, and holds its number against those before.
func (p *peer) hear() string {
	p.t.Helper()
	e := hear(p.t, p.conn)
	if e.EventSeq != 0 {
		if p.last++; e.EventSeq != p.last {
			p.t.Fatalf("number %d, want %d", e.EventSeq, p.last)
		}
	}
	switch b := e.Payload.(type) {
	case *arcp.JobEvent:
		if thought, ok := b.Body.(*arcp.ThoughtBody); ok {
			return thought.Text
		}
		if status, ok := b.Body.(*arcp.StatusBody); ok {
			return fmt.Sprintf("%s %s", status.Phase, status.Details)
		}
		return string(b.Kind)
	case *arcp.JobResult:
		return "result " + string(b.Result)
	case *arcp.JobError:
		return fmt.Sprintf("%s %s %v %s", e.Type, b.Code, b.Retryable, b.Details)
	case *arcp.SessionError:
		return fmt.Sprintf("%s %s %s", e.Type, b.Code, b.Details)
	case *arcp.JobSubscribed:
		return fmt.Sprintf("%s %s from %d", e.Type, b.CurrentStatus, b.SubscribedFrom)
	}
	return string(e.Type)
}

func (p *peer) want(frames ...string) {
	p.t.Helper()
	for _, f := range frames {
		if got := p.hear(); strings.TrimSpace(got) != f {
			p.t.Fatalf("heard %q, want %q", got, f)
		}
	}
}

// submit starts a job and returns its id.
func (p *peer) submit(j *arcp.JobSubmit) string {
	p.t.Helper()
	p.say("submit", j)
	a, ok := hear(p.t, p.conn).Payload.(*arcp.JobAccepted)
	if !ok {
		p.t.Fatal("the job was not accepted")
	}
	return a.JobID
}

func (p *peer) close() { _ = p.conn.Close("") }
