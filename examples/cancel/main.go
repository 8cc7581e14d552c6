// Command cancel ends a job from the outside. The agent is told through its context, and what it returns does not matter
// any more.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// watch runs until somebody ends it. One that went on after its context is done would be cut off after a grace.
func watch(ctx context.Context, t *arcprt.Task) error {
	if err := t.Status(ctx, "watching", ""); err != nil {
		return err
	}
	<-ctx.Done()
	return context.Cause(ctx) // runtime.ErrCancelled, ErrTimedOut or ErrStopped
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	session, stop, err := local.Connect(ctx, map[string]arcprt.Agent{"watch": arcprt.AgentFunc(watch)})
	if err != nil {
		return err
	}
	defer stop()
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "watch"})
	if err != nil {
		return err
	}
	ev, err := job.Next(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "event: %s\n", ev.Kind)
	// Cancel returns when the runtime has taken the request; the job's end comes after that.
	if err := job.Cancel(ctx, "seen enough"); err != nil {
		return err
	}
	fmt.Fprintln(w, "cancel taken")
	_, err = job.Result(ctx)
	if !errors.Is(err, arcp.CodeCancelled) {
		return fmt.Errorf("the job ended otherwise: %w", err)
	}
	fmt.Fprintf(w, "%s with %s\n", job.Status(), arcp.CodeOf(err))
	// A job that has ended cannot be cancelled, and the refusal says so.
	err = job.Cancel(ctx, "again")
	fmt.Fprintf(w, "again: %s\n", arcp.CodeOf(err))
	return nil
}
