// Command subscribe follows a job that another session submitted: what has happened, then what happens, each event once. To
// watch is not to own: the observer cannot cancel.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// build goes through four phases and waits in the middle until it may go on.
type build struct{ goOn chan struct{} }

func (b build) Run(ctx context.Context, t *arcprt.Task) error {
	for n, phase := range []string{"fetch", "compile", "test", "package"} {
		if n == 2 {
			<-b.goOn
		}
		if err := t.Status(ctx, phase, ""); err != nil {
			return err
		}
	}
	return t.SetResult(arcp.RawJSON(`"build-17.tar"`))
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	agent := build{goOn: make(chan struct{})}
	owner, dialer, stop, err := local.Start(ctx, nil, map[string]arcprt.Agent{"build": agent})
	if err != nil {
		return err
	}
	defer stop()
	submitted, err := owner.Submit(ctx, &arcp.JobSubmit{Agent: "build"})
	if err != nil {
		return err
	}
	for range 2 {
		if _, err := submitted.Next(ctx); err != nil {
			return err
		}
	}

	// Somebody else, of the same principal, who knows the job's id; see list_jobs for how to find it.
	observer, err := client.Connect(ctx, dialer, nil)
	if err != nil {
		return err
	}
	defer observer.Close(ctx)
	job, err := observer.Subscribe(ctx, submitted.ID(), &client.SubscribeOptions{History: true})
	if err != nil {
		return err
	}
	err = job.Cancel(ctx, "not mine")
	fmt.Fprintf(w, "cancel: %s\n", arcp.CodeOf(err))
	close(agent.goOn)
	for ev, err := range job.Events(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%d %s\n", ev.Seq, ev.Body.(*arcp.StatusBody).Phase)
	}
	result, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s %s\n", result.FinalStatus, result.Result)
	return nil
}
