// Command list_jobs finds jobs again: those that run and those that have ended, by status, agent and time, without having
// kept their ids.
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

func half(_ context.Context, _ *arcprt.Task, n int) (int, error) {
	if n%2 != 0 {
		return 0, arcp.NewError(arcp.CodeInvalidRequest, "%d is odd", n)
	}
	return n / 2, nil
}

func wait(ctx context.Context, _ *arcprt.Task) error {
	<-ctx.Done()
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	session, stop, err := local.Connect(ctx, map[string]arcprt.Agent{"half": arcprt.Func(half), "wait": arcprt.AgentFunc(wait)})
	if err != nil {
		return err
	}
	defer stop()
	for _, input := range []string{"6", "7"} {
		job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "half", Input: arcp.RawJSON(input)})
		if err != nil {
			return err
		}
		<-job.Done()
	}
	waiting, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "wait"})
	if err != nil {
		return err
	}
	for _, ask := range []struct {
		title  string
		filter *arcp.JobFilter
	}{
		{"all, the oldest first", nil},
		{"running", &arcp.JobFilter{Status: []arcp.JobStatus{arcp.StatusRunning}}},
		{"failed jobs of half", &arcp.JobFilter{Status: []arcp.JobStatus{arcp.StatusError}, Agent: "half"}},
	} {
		fmt.Fprintln(w, ask.title+":")
		if err := list(ctx, w, session, ask.filter); err != nil {
			return err
		}
	}
	return waiting.Cancel(ctx, "done with it")
}

// list asks for pages as it goes on; who breaks out of the loop asks for no more.
func list(ctx context.Context, w io.Writer, session *client.Session, filter *arcp.JobFilter) error {
	for job, err := range session.Jobs(ctx, filter) {
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %s %s\n", job.Agent, job.Status)
	}
	return nil
}
