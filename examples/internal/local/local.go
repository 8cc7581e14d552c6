// Package local serves a runtime on this machine, so that the examples can be about what they show. The example
// submit_and_stream does the same in full.
package local

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// Serve serves rt over WebSocket on a free loopback port and returns how to dial it. Stop shuts the runtime down and
// waits until everything that Serve started has ended.
func Serve(ctx context.Context, rt *arcprt.Runtime) (d *ws.Dialer, stop func(), err error) {
	ln, err := ws.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return nil, nil, err
	}
	endpoint := ws.Handler(&ws.Options{Subprotocol: arcp.Subprotocol}, func(ctx context.Context, c transport.Conn) {
		_ = rt.Serve(ctx, c) // the client sees the same end
	})
	mux := http.NewServeMux()
	mux.Handle(arcp.DefaultPath, endpoint)
	serving, cancel := context.WithCancel(ctx)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = ws.Serve(serving, ln, mux, nil)
	}()
	url := "ws://" + ln.Addr().String() + arcp.DefaultPath
	return &ws.Dialer{URL: url, Subprotocol: arcp.Subprotocol}, func() {
		_ = rt.Shutdown(context.WithoutCancel(ctx))
		_ = endpoint.Shutdown(context.WithoutCancel(ctx))
		cancel()
		<-served
	}, nil
}

// Connect serves a runtime that has the agents given and lets anyone on this machine in, and opens a session with it. Stop
// ends both.
func Connect(ctx context.Context, agents map[string]arcprt.Agent) (s *client.Session, stop func(), err error) {
	s, _, stop, err = Start(ctx, nil, agents)
	return s, stop, err
}

// Start does what Connect does with a runtime of the options given, and returns how to dial it, too. Agents are registered
// in the order of their names.
func Start(ctx context.Context, o *arcprt.Options, agents map[string]arcprt.Agent) (s *client.Session, d *ws.Dialer, stop func(), err error) {
	if o == nil {
		o = &arcprt.Options{AllowAnyone: true}
	}
	rt, err := arcprt.New(o)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, ref := range slices.Sorted(maps.Keys(agents)) {
		if err := rt.Handle(ref, agents[ref]); err != nil {
			return nil, nil, nil, err
		}
	}
	d, stopServing, err := Serve(ctx, rt)
	if err != nil {
		return nil, nil, nil, err
	}
	s, err = client.Connect(ctx, d, nil)
	if err != nil {
		stopServing()
		return nil, nil, nil, err
	}
	return s, d, func() {
		_ = s.Close(context.WithoutCancel(ctx))
		stopServing()
	}, nil
}
