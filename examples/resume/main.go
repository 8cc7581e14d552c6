// Command resume goes on with a session after the connection was lost, which needs nothing from its user, and after the
// process was, which needs the session's state.
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
	"github.com/arcpkit/arcp/pkg/transport"
)

// counter counts to six, and waits after two and after three until it may go on.
type counter struct{ goOn chan struct{} }

func (c counter) Run(ctx context.Context, t *arcprt.Task) error {
	for n := range 6 {
		if n == 2 || n == 3 {
			<-c.goOn
		}
		if err := t.Progress(ctx, float64(n+1), 6, "", ""); err != nil {
			return err
		}
	}
	return t.SetResult(arcp.RawJSON(`"counted"`))
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	agent := counter{goOn: make(chan struct{})}
	_, dialer, stop, err := local.Start(ctx, nil, map[string]arcprt.Agent{"count": agent})
	if err != nil {
		return err
	}
	defer stop()
	jobID, state, err := first(ctx, w, &local.Network{Dialer: dialer}, agent.goOn)
	if err != nil {
		return err
	}
	agent.goOn <- struct{}{}
	return second(ctx, w, dialer, jobID, state)
}

// first is a process that loses its connection and does not care, and then is about to end. Who has the state has the
// session: it is to be kept as a password is.
func first(ctx context.Context, w io.Writer, network *local.Network, goOn chan<- struct{}) (jobID string, state []byte, err error) {
	session, err := client.Connect(ctx, network, nil)
	if err != nil {
		return "", nil, err
	}
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "count"})
	if err != nil {
		return "", nil, err
	}
	for n := range 3 {
		ev, err := job.Next(ctx)
		if err != nil {
			return "", nil, err
		}
		fmt.Fprintf(w, "first process, connection %d: %v\n", network.Dials(), ev.Body.(*arcp.ProgressBody).Current)
		if n == 1 {
			network.Cut()
			goOn <- struct{}{}
		}
	}
	if err := session.Close(ctx); err != nil { // the job runs on
		return "", nil, err
	}
	state, err = session.State().MarshalBinary()
	return job.ID(), state, err
}

// second is the process after it. An event has been dealt with when the next one is asked for; of the third nobody can say
// whether it was, so it comes again.
func second(ctx context.Context, w io.Writer, dialer transport.Dialer, jobID string, kept []byte) error {
	var state client.State
	if err := state.UnmarshalBinary(kept); err != nil {
		return err
	}
	session, err := client.Resume(ctx, dialer, state, nil)
	if err != nil {
		return err // client.ErrSessionExpired when it is too late
	}
	defer session.Close(ctx)
	job, err := session.Attach(ctx, jobID)
	if err != nil {
		return err
	}
	for ev, err := range job.Events(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "second process: %v\n", ev.Body.(*arcp.ProgressBody).Current)
	}
	result, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s\n", result.Result)
	return nil
}
