package runtime_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
)

// A connection of any kind is served by Serve, on a goroutine of its own. Here the other end writes its frames by hand; package
// client does it for Go programs.
func ExampleRuntime_Serve() {
	rt, err := arcprt.New(&arcprt.Options{AllowAnyone: true})
	if err != nil {
		log.Fatal(err)
	}
	err = rt.Handle("greet@1.0.0", arcprt.Func(func(_ context.Context, _ *arcprt.Task, name string) (string, error) {
		return "Hello, " + name, nil
	}))
	if err != nil {
		log.Fatal(err)
	}
	ours, theirs := transport.Pipe()
	go func() { _ = rt.Serve(context.Background(), theirs) }()

	send(ours, &arcp.Envelope{ID: "m1", Payload: &arcp.SessionHello{Client: arcp.Software{Name: "example"}}})
	welcome := receive(ours)
	fmt.Println(welcome.Type)
	send(ours, &arcp.Envelope{ID: "m2", SessionID: welcome.SessionID, Payload: &arcp.JobSubmit{Agent: "greet", Input: arcp.RawJSON(`"Ada"`)}})
	fmt.Println(receive(ours).Payload.(*arcp.JobAccepted).Agent)
	fmt.Printf("%s\n", receive(ours).Payload.(*arcp.JobResult).Result)
	_ = rt.Shutdown(context.Background())
	// Output:
	// session.welcome
	// greet@1.0.0
	// "Hello, Ada"
}

// The function gets its input as a Go value and emits events through its task.
func ExampleFunc() {
	type order struct {
		Items []string `json:"items"`
	}
	pack := func(ctx context.Context, t *arcprt.Task, in order) (int, error) {
		for n, item := range in.Items {
			if err := t.Progress(ctx, float64(n+1), float64(len(in.Items)), "items", item); err != nil {
				return 0, err
			}
		}
		return len(in.Items), nil
	}
	show(arcprt.Func(pack), `{"items": ["pen", "ink"]}`)
	show(arcprt.Func(pack), `{"items": 2}`)
	// Output:
	// progress: pen
	// progress: ink
	// result: 2
	// error: INVALID_REQUEST
}

// An error with a code reaches the client as it is; of any other, and of a panic, the client learns that there was one, and the Logger
// of the runtime what it was.
func ExampleAgentFunc() {
	show(arcprt.AgentFunc(func(_ context.Context, _ *arcprt.Task) error {
		return arcp.NewError(arcp.CodeTimeout, "the disk does not answer")
	}), "null")
	show(arcprt.AgentFunc(func(_ context.Context, _ *arcprt.Task) error { panic("the operator's affair") }), "null")
	// Output:
	// error: TIMEOUT
	// error: INTERNAL_ERROR
}

// A lease that nobody asks protects nothing: the agent asks before each operation.
func ExampleTask_Authorize() {
	show(arcprt.AgentFunc(func(ctx context.Context, t *arcprt.Task) error {
		return t.Authorize(ctx, arcp.NamespaceFSRead, "/etc/passwd")
	}), "null")
	// Output: error: PERMISSION_DENIED
}

// A result of any size goes out in chunks while it is made.
func ExampleTask_ResultWriter() {
	show(arcprt.AgentFunc(func(ctx context.Context, t *arcprt.Task) error {
		w, err := t.ResultWriter(ctx, arcp.EncodingUTF8)
		if err != nil {
			return err
		}
		if _, err := io.Copy(w, strings.NewReader("one\ntwo\nthree\n")); err != nil {
			return err
		}
		return w.Close()
	}), "null")
	// Output:
	// chunk: "one\ntwo\nthree\n"
	// result: streamed, 14 bytes
}

// show runs an agent for one job and prints what its client sees.
func show(agent arcprt.Agent, input string) {
	rt, err := arcprt.New(&arcprt.Options{AllowAnyone: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	if err := rt.Handle("agent", agent); err != nil {
		log.Fatal(err)
	}
	ours, theirs := transport.Pipe()
	go func() { _ = rt.Serve(context.Background(), theirs) }()
	send(ours, &arcp.Envelope{ID: "m1", Payload: &arcp.SessionHello{
		Client:       arcp.Software{Name: "example"},
		Capabilities: &arcp.ClientCapabilities{Features: arcp.Features()},
	}})
	session := receive(ours).SessionID
	send(ours, &arcp.Envelope{ID: "m2", SessionID: session, Payload: &arcp.JobSubmit{Agent: "agent", Input: arcp.RawJSON(input)}})
	for !tell(receive(ours).Payload) {
	}
	_ = rt.Shutdown(context.Background())
}

// tell prints a message of a job and says whether it was the last.
func tell(p arcp.Payload) (last bool) {
	switch p := p.(type) {
	case *arcp.JobEvent:
		switch body := p.Body.(type) {
		case *arcp.ProgressBody:
			fmt.Println("progress:", body.Message)
		case *arcp.ResultChunkBody:
			if body.Data != "" {
				fmt.Printf("chunk: %q\n", body.Data)
			}
		}
	case *arcp.JobResult:
		if p.ResultSize != nil {
			fmt.Printf("result: streamed, %d bytes\n", *p.ResultSize)
		} else {
			fmt.Printf("result: %s\n", p.Result)
		}
		return true
	case *arcp.JobError:
		fmt.Println("error:", p.Code)
		return true
	}
	return false
}

func send(c transport.Conn, e *arcp.Envelope) {
	frame, err := e.AppendJSON(nil)
	if err == nil {
		err = c.Write(frame)
	}
	if err == nil {
		err = c.Flush()
	}
	if err != nil {
		log.Fatal(err)
	}
}

func receive(c transport.Conn) *arcp.Envelope {
	frame, err := c.Read(nil)
	if err != nil {
		log.Fatal(err)
	}
	e, err := arcp.Decode(frame)
	if err != nil {
		log.Fatal(err)
	}
	return e
}
