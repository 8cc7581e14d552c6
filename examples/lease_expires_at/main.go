// Command lease_expires_at gives a job rights that end. From that instant on the agent may do nothing any more, and the job ends.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// index asks before each file, and has a second to leave once its lease has expired.
func index(ctx context.Context, t *arcprt.Task, _ any) (string, error) {
	if err := t.Authorize(ctx, arcp.NamespaceFSRead, "/data/a"); err != nil {
		return "", err
	}
	if err := t.Status(ctx, "indexing", ""); err != nil {
		return "", err
	}
	<-ctx.Done() // which says why
	return "", t.Authorize(ctx, arcp.NamespaceFSRead, "/data/b")
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	session, stop, err := local.Connect(ctx, map[string]arcprt.Agent{"index": arcprt.Func(index)})
	if err != nil {
		return err
	}
	defer stop()
	job, err := session.Submit(ctx, &arcp.JobSubmit{
		Agent: "index", LeaseRequest: arcp.Lease{arcp.NamespaceFSRead: {"/data/**"}},
		LeaseConstraints: &arcp.LeaseConstraints{ExpiresAt: time.Now().Add(300 * time.Millisecond).UTC()},
	})
	if err != nil {
		return err
	}
	for ev, err := range job.Events(ctx) {
		if err != nil {
			return err
		}
		switch b := ev.Body.(type) {
		case *arcp.StatusBody:
			fmt.Fprintln(w, b.Phase)
		case *arcp.ToolResultBody:
			fmt.Fprintln(w, "refused:", b.Error.Code)
		}
	}
	_, err = job.Result(ctx)
	var failed *arcp.Error
	if !errors.As(err, &failed) {
		return fmt.Errorf("the job ended with %w", err)
	}
	fmt.Fprintln(w, job.Status(), failed.Code, "retryable:", failed.Retryable)
	return nil
}
