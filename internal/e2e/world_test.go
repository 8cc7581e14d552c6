package e2e

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// world is a runtime behind a real listener on loopback.
type world struct {
	t   *testing.T
	rt  *arcprt.Runtime
	url string
}

// open starts a runtime with the given agents. The test fails when a goroutine outlives it.
func open(t *testing.T, change func(*arcprt.Options), agents map[string]arcprt.AgentFunc) *world {
	t.Helper()
	opts := &arcprt.Options{Name: "e2e", Verifier: tokens("alice", "bob"), Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(opts)
	}
	rt, err := arcprt.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range agents {
		if err := rt.Handle(name, f); err != nil {
			t.Fatal(err)
		}
	}
	leaks := goleak.IgnoreCurrent()
	h := ws.Handler(nil, func(ctx context.Context, c transport.Conn) { _ = rt.Serve(ctx, c) })
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = rt.Shutdown(ctx)
		s.Close()
		goleak.VerifyNone(t, leaks)
	})
	return &world{t: t, rt: rt, url: "ws" + strings.TrimPrefix(s.URL, "http")}
}

func tokens(names ...string) arcprt.StaticTokens {
	s := arcprt.StaticTokens{}
	for _, n := range names {
		s[arcp.HashToken(n)] = n
	}
	return s
}

func (w *world) dialer() transport.Dialer { return &ws.Dialer{URL: w.url} }

// connect opens a session for a principal, closed at the end of the test.
func (w *world) connect(principal string) *client.Session {
	w.t.Helper()
	s, err := client.Connect(w.t.Context(), w.dialer(), &client.Options{Name: "test", Token: principal})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func (w *world) submit(s *client.Session, agent string, input string) *client.Job {
	w.t.Helper()
	j, err := s.Submit(w.t.Context(), &arcp.JobSubmit{Agent: agent, Input: arcp.RawJSON(input)})
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// raw opens a bare connection, for peers that do not behave.
func (w *world) raw() transport.Conn {
	w.t.Helper()
	c, err := w.dialer().Dial(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close("") })
	return c
}

func send(t *testing.T, c transport.Conn, e *arcp.Envelope) {
	t.Helper()
	frame, err := e.AppendJSON(nil)
	if err == nil {
		err = c.Write(frame)
	}
	if err == nil {
		err = c.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c transport.Conn) *arcp.Envelope {
	t.Helper()
	frame, err := c.Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := arcp.Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func hello(token string) *arcp.Envelope {
	return &arcp.Envelope{ID: "h", Payload: &arcp.SessionHello{
		Client: arcp.Software{Name: "raw"}, Auth: arcp.Auth{Token: arcp.MakeSecret(token)},
		Capabilities: &arcp.ClientCapabilities{Features: []arcp.Feature{arcp.FeatureResultChunk, arcp.FeatureProgress}},
	}}
}

func echo(_ context.Context, t *arcprt.Task) error { return t.SetResult(t.Input()) }

func wait(ctx context.Context, _ *arcprt.Task) error {
	<-ctx.Done()
	return context.Cause(ctx)
}
