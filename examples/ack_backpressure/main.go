// Command ack_backpressure reads too slowly. The client acknowledges by itself what its reader has dealt with; a runtime that
// sees it lag behind tells it so, in its own stream only. The agent never waits for anybody.
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
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// tick reports as fast as it likes until it is cancelled.
func tick(ctx context.Context, t *arcprt.Task) error {
	for n := 1; ; n++ {
		if err := t.Progress(ctx, float64(n), 0, "ticks", ""); err != nil {
			return err
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return nil
		}
	}
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	options := &arcprt.Options{AllowAnyone: true, Limits: arcprt.Limits{AckLagEvents: 100}}
	session, _, stop, err := local.Start(ctx, options, map[string]arcprt.Agent{"tick": arcprt.AgentFunc(tick)})
	if err != nil {
		return err
	}
	defer stop()
	seconds := uint64(60) // in case that nobody cancels it
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "tick", MaxRuntimeSec: &seconds})
	if err != nil {
		return err
	}
	if err := readSlowly(ctx, job); err != nil {
		return err
	}
	fmt.Fprintln(w, "the runtime says that we lag behind")
	// There is no hurry: what we have not read is kept, and everything else of this session goes on.
	if err := job.Cancel(ctx, "seen enough"); err != nil {
		return err
	}
	_, err = job.Result(ctx)
	fmt.Fprintln(w, arcp.CodeOf(err))
	return nil
}

// readSlowly returns when it was told of back pressure. Each event came once and in order until then.
func readSlowly(ctx context.Context, job *client.Job) error {
	ticks := 0.0
	for ev, err := range job.Events(ctx) {
		if err != nil {
			return err
		}
		switch body := ev.Body.(type) {
		case *arcp.StatusBody:
			if body.Phase == arcp.PhaseBackPressure {
				return nil
			}
		case *arcp.ProgressBody:
			if ticks++; body.Current != ticks {
				return fmt.Errorf("tick %v came as number %v", body.Current, ticks)
			}
			time.Sleep(10 * time.Millisecond) // ten times as long as the agent takes
		}
	}
	return errors.New("the job ended early")
}
