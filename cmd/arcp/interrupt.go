package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
)

// cancelTimeout bounds how long an interrupted job may take to end: longer than the grace a runtime gives its agent.
const cancelTimeout = (arcp.LimitCancelGraceSec + 5) * time.Second

// cancelOnInterrupt asks for the end of the job when ctx ends, and returns a context that goes on for a while, for the end still comes
// over the link. A second interrupt ends that too. outlives says that the job's runtime lives on when this command ends.
func cancelOnInterrupt(ctx context.Context, job *client.Job, note func(string), outlives bool) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	again := make(chan os.Signal, 1)
	stop := context.AfterFunc(ctx, func() {
		signal.Notify(again, os.Interrupt, syscall.SIGTERM)
		once, left := "once more ends it at once", errors.New("interrupted again")
		if outlives {
			once = "once more leaves it running"
			left = fmt.Errorf("interrupted again; the job may go on\nto follow it: arcp watch %s", job.ID())
		}
		note(eventLine("client", term.Line("cancelling; "+once)))
		go endOrder(work, cancel, job)
		select {
		case <-again:
			signal.Stop(again) // from here on an interrupt ends the process
			cancel(&exitError{exitFailed, left})
		case <-work.Done():
		}
	})
	return work, func() {
		stop()
		signal.Stop(again)
		cancel(nil)
	}
}

// endOrder asks the runtime to end the job, and ends work when that cannot be or does not happen.
func endOrder(work context.Context, cancel context.CancelCauseFunc, job *client.Job) {
	asked, done := context.WithTimeout(work, cancelTimeout)
	defer done()
	if err := job.Cancel(asked, "interrupted"); err != nil && !isOver(job) {
		cancel(notCancelled(err))
		return
	}
	<-asked.Done()
	cancel(errors.New("the job was cancelled and does not end")) // of no effect when work is over
}

// notCancelled says why a cancel was not taken: it may have waited in vain for a lost runtime.
func notCancelled(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &exitError{exitNoLink, errors.New("the runtime gives no answer: the job could not be cancelled")}
	}
	return classify(fmt.Errorf("the job could not be cancelled: %w", err))
}

func isOver(job *client.Job) bool {
	select {
	case <-job.Done():
		return true
	default:
		return false
	}
}
