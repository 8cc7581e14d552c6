package linear

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
)

// rig is a runtime, and the history of what is done with it on a clock that only counts.
type rig struct {
	t       *testing.T
	rt      *arcprt.Runtime
	serving sync.WaitGroup
	clock   atomic.Int64
	serial  atomic.Int64

	mu  sync.Mutex
	ops []porcupine.Operation
}

func open(t *testing.T) *rig {
	t.Helper()
	tokens := arcprt.StaticTokens{}
	for _, who := range []string{"alice", "bob"} {
		tokens[arcp.HashToken(who)] = who
	}
	rt, err := arcprt.New(&arcprt.Options{Verifier: tokens, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, agent := range []string{"a", "b"} {
		err := rt.Handle(agent, arcprt.AgentFunc(func(_ context.Context, t *arcprt.Task) error { return t.SetResult(t.Input()) }))
		if err != nil {
			t.Fatal(err)
		}
	}
	g := &rig{t: t, rt: rt}
	t.Cleanup(func() {
		_ = rt.Shutdown(context.Background())
		g.serving.Wait()
	})
	return g
}

// do notes one operation. Its times are taken around act, which gives its output.
func (g *rig) do(client int, input any, act func() any) {
	g.doSince(g.clock.Add(1), client, input, act)
}

// doSince is do of an operation that may have begun by itself.
func (g *rig) doSince(call int64, client int, input any, act func() any) {
	output := act()
	op := porcupine.Operation{ClientId: client, Input: input, Call: call, Output: output, Return: g.clock.Add(1)}
	g.mu.Lock()
	g.ops = append(g.ops, op)
	g.mu.Unlock()
}

// peer is one link, spoken by hand.
type peer struct {
	g     *rig
	conn  transport.Conn
	id    string // of its session
	token string
}

// session opens a session.
func (g *rig) session(who string) *peer {
	g.t.Helper()
	p, _ := g.dial(who, nil)
	if p == nil {
		g.t.Fatal("no session")
	}
	return p
}

// dial links a client. Without a peer it was refused, or the link ended before the answer.
func (g *rig) dial(who string, resume *arcp.Resume, features ...arcp.Feature) (p *peer, refused bool) {
	ours, theirs := transport.Pipe()
	g.serving.Go(func() { _ = g.rt.Serve(context.Background(), theirs) })
	p = &peer{g: g, conn: ours}
	p.write(&arcp.SessionHello{
		Client: arcp.Software{Name: "linear"}, Auth: arcp.Auth{Token: arcp.MakeSecret(who)}, Resume: resume,
		Capabilities: &arcp.ClientCapabilities{Features: append(features, arcp.FeatureHeartbeat)},
	})
	if e := p.read(func(*arcp.Envelope) bool { return true }); e != nil {
		switch a := e.Payload.(type) {
		case *arcp.SessionWelcome:
			p.id, p.token = e.SessionID, a.ResumeToken.Reveal()
			return p, false
		case *arcp.SessionError: // a link may be taken over before its welcome is out, too
			refused = a.Code == arcp.CodeResumeWindowExpired
		}
	}
	p.close()
	return nil, refused
}

func (p *peer) close() { _ = p.conn.Close("") }

func (p *peer) write(payload arcp.Payload) (id string) {
	id = fmt.Sprint("m", p.g.serial.Add(1))
	frame, err := (&arcp.Envelope{ID: id, SessionID: p.id, Payload: payload}).AppendJSON(nil)
	if err != nil {
		p.g.t.Error(err)
		return id
	}
	if p.conn.Write(frame) == nil {
		_ = p.conn.Flush()
	}
	return id
}

// read returns the first frame that is wanted, nil when the link ends before.
func (p *peer) read(want func(*arcp.Envelope) bool) *arcp.Envelope {
	for {
		frame, err := p.conn.Read(nil)
		if err != nil {
			return nil
		}
		e, err := arcp.Decode(frame)
		if err != nil {
			p.g.t.Error(err)
			return nil
		}
		if want(e) {
			return e
		}
	}
}
