package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// site is a runtime with its agents behind a WebSocket on loopback, every check on and every limit the default, but for the
// rates: they are kept, and out of reach.
type site struct {
	rt     *arcprt.Runtime
	end    *ws.Endpoint
	server *httptest.Server
	dialer ws.Dialer
	after  func() error // what is to be done once the runtime is gone; may be nil
}

// agents are what a site runs, by name.
type agents map[string]arcprt.AgentFunc

// quick is the agent of jobs that are over at once.
func quick(context.Context, *arcprt.Task) error { return nil }

const unreachable = 1e9 // a second

func open(all agents) (*site, error) {
	return openWith(&arcprt.Options{}, all, (*httptest.Server).Start)
}

func openTLS(all agents) (*site, error) {
	return openWith(&arcprt.Options{}, all, (*httptest.Server).StartTLS)
}

func openWith(o *arcprt.Options, all agents, start func(*httptest.Server)) (*site, error) {
	o.AllowAnyone, o.Logger = true, slog.New(slog.DiscardHandler)
	o.Limits.PrincipalSubmitRate, o.Limits.PrincipalSubmitBurst, o.Limits.JobEventRate = unreachable, unreachable, unreachable
	rt, err := arcprt.New(o)
	if err != nil {
		return nil, err
	}
	for name, agent := range all {
		if err := rt.Handle(name, agent); err != nil {
			return nil, err
		}
	}
	s := &site{rt: rt}
	s.end = ws.Handler(nil, func(ctx context.Context, c transport.Conn) { _ = rt.Serve(ctx, c) })
	s.server = httptest.NewUnstartedServer(s.end)
	start(s.server)
	s.dialer = ws.Dialer{URL: wsURL(s.server), TLSConfig: trust(s.server)}
	return s, nil
}

// trust is the configuration of a client that knows the server's certificate, nil for one in clear.
func trust(s *httptest.Server) *tls.Config {
	if t, ok := s.Client().Transport.(*http.Transport); ok && t.TLSClientConfig != nil {
		return t.TLSClientConfig
	}
	return nil
}

func (s *site) connect() (*client.Session, error) { return connect(&s.dialer) }

func connect(d *ws.Dialer) (*client.Session, error) {
	return client.Connect(context.Background(), d, &client.Options{Name: "bench", Token: "bench"})
}

// close ends the runtime and waits until no goroutine of it is left. A job that runs on by now is stopped.
func (s *site) close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.rt.Shutdown(ctx) // tells of jobs that were stopped
	err := s.end.Shutdown(context.Background())
	s.server.Close()
	if s.after != nil {
		err = errors.Join(err, s.after())
	}
	return err
}

// serve opens a site with one agent, called bench, and a session with it.
func serve(agent arcprt.AgentFunc) (*client.Session, func(), error) {
	s, err := open(agents{"bench": agent})
	if err != nil {
		return nil, nil, err
	}
	return s.session()
}

// session connects to a site of which nothing else is needed; what is returned ends both.
func (s *site) session() (*client.Session, func(), error) {
	session, err := s.connect()
	if err != nil {
		return nil, nil, errors.Join(err, s.close())
	}
	return session, func() {
		_ = session.Close(context.Background())
		_ = s.close()
	}, nil
}

// run submits a job and waits for its end.
func runJob(ctx context.Context, s *client.Session, agent string) error {
	job, err := s.Submit(ctx, &arcp.JobSubmit{Agent: agent})
	if err == nil {
		_, err = job.Result(ctx)
	}
	return err
}

// drain reads a job to its end and says how many events came.
func drain(ctx context.Context, job *client.Job) (n int, err error) {
	for _, err := range job.Events(ctx) {
		if err != nil {
			return n, err
		}
		n++
	}
	_, err = job.Result(ctx)
	return n, err
}
