package runtime_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/provision"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
)

// gateway is a provisioner that remembers everything, over the deaths of runtimes, and does before and after each step what a test wants.
type gateway struct {
	provision.Memory

	mu     sync.Mutex
	before map[string]func(context.Context) error // an error is the answer, and nothing happened
	after  map[string]func(context.Context) error // an error is the answer though it happened
	calls  []string
	lives  int // the runtime that lives; calls of those before reach nothing
}

// life is the gateway as one runtime reaches it.
type life struct {
	*gateway
	n int
}

// reach is nil while the runtime lives.
func (f *life) reach() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n != f.lives {
		return errors.New("the process is dead")
	}
	return nil
}

func (f *life) Issue(ctx context.Context, r *runtime.CredentialRequest) ([]runtime.Minted, error) {
	if err := f.reach(); err != nil {
		return nil, err
	}
	return f.gateway.Issue(ctx, r)
}

func (f *life) Rotate(ctx context.Context, r *runtime.CredentialRequest, old runtime.CredentialRef) (runtime.Minted, error) {
	if err := f.reach(); err != nil {
		return runtime.Minted{}, err
	}
	return f.gateway.Rotate(ctx, r, old)
}

func (f *life) Revoke(ctx context.Context, ref runtime.CredentialRef) error {
	if err := f.reach(); err != nil {
		return err
	}
	return f.gateway.Revoke(ctx, ref)
}

// born cuts off the runtime before and returns how the next one reaches the gateway.
func (g *gateway) born() *life {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lives++
	return &life{g, g.lives}
}

func (g *gateway) set(before bool, step string, f func(context.Context) error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if before {
		g.before[step] = f
	} else {
		g.after[step] = f
	}
}

func (g *gateway) do(ctx context.Context, step string, f func() error) error {
	g.mu.Lock()
	g.calls = append(g.calls, step)
	before, after := g.before[step], g.after[step]
	g.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return err
		}
	}
	if err := f(); err != nil || after == nil {
		return err
	}
	return after(ctx)
}

func (g *gateway) Issue(ctx context.Context, r *runtime.CredentialRequest) (list []runtime.Minted, err error) {
	err = g.do(ctx, "issue", func() (err error) {
		list, err = g.Memory.Issue(context.WithoutCancel(ctx), r) // as a service does that is not told that nobody waits any more
		return err
	})
	return list, err
}

func (g *gateway) Rotate(ctx context.Context, r *runtime.CredentialRequest, old runtime.CredentialRef) (m runtime.Minted, err error) {
	err = g.do(ctx, "rotate", func() (err error) {
		m, err = g.Memory.Rotate(context.WithoutCancel(ctx), r, old)
		return err
	})
	return m, err
}

func (g *gateway) Revoke(ctx context.Context, ref runtime.CredentialRef) error {
	return g.do(ctx, "revoke", func() error { return g.Memory.Revoke(ctx, ref) })
}

// count says how often a step was called.
func (g *gateway) count(step string) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.calls {
		if c == step {
			n++
		}
	}
	return n
}

// wantLive says how many values must be good.
func (g *gateway) wantLive(t *testing.T, when string, n int) {
	t.Helper()
	if live := g.Live(); len(live) != n {
		t.Errorf("%s %d values are good, want %d", when, len(live), n)
	}
}

// onMints runs f in a bubble with a runtime that has a provisioner, over a store that survives it.
func onMints(t *testing.T, f func(t *testing.T, l *lives, g *gateway)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{before: map[string]func(context.Context) error{}, after: map[string]func(context.Context) error{}}
		m := &mortal{Memory: store.NewMemory(), level: store.ProcessKill}
		l := &lives{nodes: &nodes{Memory: m.Memory, steps: make(chan struct{})}, store: m}
		l.more = func(o *runtime.Options) {
			o.Provisioner, o.Limits.Idle = g.born(), -1
			o.Observe = func(observer, owner, _ string) bool { return observer == "bob" && owner == "alice" }
		}
		l.begin(t)
		defer func() {
			for _, c := range l.conns {
				_ = c.Close("")
			}
			for _, b := range append(l.dead, l.a) {
				if b != nil {
					b.stop(t)
				}
			}
			l.served.Wait()
		}()
		f(t, l, g)
	})
}

// forMints is what a client of these tests can do.
var forMints = []arcp.Feature{
	arcp.FeatureSubscribe, arcp.FeatureListJobs, arcp.FeatureProvisionedCredentials, arcp.FeatureCostBudget, arcp.FeatureModelUse,
	arcp.FeatureLeaseExpiresAt,
}

// accepted submits and returns the answer.
func (p *peer) accepted(j *arcp.JobSubmit) *arcp.JobAccepted {
	p.t.Helper()
	p.say("submit", j)
	e := hear(p.t, p.conn)
	a, ok := e.Payload.(*arcp.JobAccepted)
	if !ok {
		p.t.Fatalf("got %s %+v, want a job.accepted", e.Type, e.Payload)
	}
	return a
}

// values returns what the credentials of an answer reveal.
func values(creds []arcp.Credential) (all []string) {
	for i := range creds {
		all = append(all, creds[i].Value.Reveal())
	}
	return all
}

// rotation hears the next event, which must be one.
func (p *peer) rotation() *arcp.StatusBody {
	p.t.Helper()
	e := hear(p.t, p.conn)
	ev, ok := e.Payload.(*arcp.JobEvent)
	if !ok {
		p.t.Fatalf("got %s %+v, want an event", e.Type, e.Payload)
	}
	b, ok := ev.Body.(*arcp.StatusBody)
	if !ok || b.Phase != arcp.PhaseCredentialRotated {
		p.t.Fatalf("got %+v, want a credential_rotated", ev.Body)
	}
	if p.last++; e.EventSeq != p.last {
		p.t.Fatalf("number %d, want %d", e.EventSeq, p.last)
	}
	return b
}

// open is a connection that anybody may read along.
type open struct{ transport.Conn }

func (open) Peer() transport.Peer { return transport.Peer{Addr: "far away"} }
