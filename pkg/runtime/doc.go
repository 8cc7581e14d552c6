// Package runtime runs agents for clients that speak ARCP. A whole server:
//
//	rt, err := arcprt.New(&arcprt.Options{AllowAnyone: true}) // anyone on this machine; see Verifier
//	err = rt.Handle("greet@1.0.0", arcprt.Func(func(ctx context.Context, t *arcprt.Task, name string) (string, error) {
//		err := t.Progress(ctx, 1, 1, "names", name)
//		return "Hello, " + name, err
//	}))
//	http.Handle(arcp.DefaultPath, ws.Handler(&ws.Options{Subprotocol: arcp.Subprotocol}, func(ctx context.Context, c transport.Conn) {
//		_ = rt.Serve(ctx, c)
//	}))
//	ln, err := ws.Listen(ctx, "127.0.0.1:7979", nil)
//	err = ws.Serve(ctx, ln, http.DefaultServeMux, nil)
//
// A Runtime accepts connections, authenticates them, and runs jobs. A job belongs to the runtime, not to the connection that
// submitted it: it writes to its own log, sessions read numbered views of logs, links write what the views hold.
// Nothing an observer does, or leaves undone, holds a job up.
//
// An [Agent] is what a job runs: [Func] makes one of a function from a Go value to a Go value, [AgentFunc] one of a function that
// does everything through its [Task], package program one of any command. What an agent returns as an *arcp.Error ends its job with
// that code and text. Any other error, and a panic, is INTERNAL_ERROR to the client, and its text goes to Options.Logger.
//
// The standard library has a package of the same name; where both are needed import this one as arcprt.
package runtime
