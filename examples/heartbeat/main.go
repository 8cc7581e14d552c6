// Command heartbeat survives a connection that is dead without either end being told. Both sides send pings where nothing
// else is sent; after two silent intervals the connection counts as lost, and the session goes on over a new one.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// guard says that it is there, and once more when it may go on.
type guard struct{ goOn chan struct{} }

func (g guard) Run(ctx context.Context, t *arcprt.Task) error {
	if err := t.Status(ctx, "on guard", ""); err != nil {
		return err
	}
	select {
	case <-g.goOn:
		return t.Status(ctx, "relieved", "")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	agent := guard{goOn: make(chan struct{})}
	// The interval is the runtime's to say; 30 s unless it is told otherwise.
	options := &arcprt.Options{AllowAnyone: true, Limits: arcprt.Limits{HeartbeatInterval: time.Second}}
	_, dialer, stop, err := local.Start(ctx, options, map[string]arcprt.Agent{"guard": agent})
	if err != nil {
		return err
	}
	defer stop()
	network := &local.Network{Dialer: dialer}
	session, err := client.Connect(ctx, network, nil)
	if err != nil {
		return err
	}
	defer session.Close(ctx)
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "guard"})
	if err != nil {
		return err
	}
	for ev, err := range job.Events(ctx) {
		if err != nil {
			return err
		}
		phase := ev.Body.(*arcp.StatusBody).Phase
		fmt.Fprintf(w, "connection %d: %s\n", network.Dials(), phase)
		if phase == "on guard" {
			network.Freeze() // from here on nothing comes and nothing goes
			close(agent.goOn)
		}
	}
	if _, err := job.Result(ctx); err != nil {
		return err
	}
	fmt.Fprintln(w, job.Status())
	return nil
}
