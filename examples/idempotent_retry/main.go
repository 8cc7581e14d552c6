// Command idempotent_retry orders something once, however often the order is sent. The runtime keeps each submit's key, and
// the client gives every submit one, so that it can ask again when the answer was lost.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"sync/atomic"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	var shipped atomic.Int64
	ship := arcprt.Func(func(_ context.Context, _ *arcprt.Task, item string) (string, error) {
		shipped.Add(1)
		return item + " is on its way", nil
	})
	other, dialer, stop, err := local.Start(ctx, nil, map[string]arcprt.Agent{"ship": ship})
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

	// The answer to the submit is lost, and the connection with it. The client asks again over the next one.
	network.Lose(`"job.accepted"`)
	order := &arcp.JobSubmit{Agent: "ship", Input: arcp.RawJSON(`"a lamp"`), IdempotencyKey: "order 1815"}
	job, err := session.Submit(ctx, order)
	if err != nil {
		return err
	}
	result, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s, after %d connections\n", result.Result, network.Dials())

	// Another session, as after a crash, that knows the key only: the same job, with its result.
	again, err := other.Submit(ctx, order)
	if err != nil {
		return err
	}
	result, err = again.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s, the same job: %t\n", result.Result, again.ID() == job.ID())

	// The key stands for this order and for no other one.
	_, err = other.Submit(ctx, &arcp.JobSubmit{Agent: "ship", Input: arcp.RawJSON(`"two lamps"`), IdempotencyKey: "order 1815"})
	fmt.Fprintf(w, "two lamps: %s\n", arcp.CodeOf(err))
	fmt.Fprintf(w, "shipped: %d\n", shipped.Load())
	return nil
}
