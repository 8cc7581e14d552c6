// Command arcp runs ARCP runtimes and talks to them.
//
//	arcp demo                             a runtime, a client and a real job, in one process
//	arcp serve --agent index=./index.py   a runtime; any program is an agent
//	arcp submit index '{"path":"."}'      submit a job and follow it to its end
//	arcp jobs                             list jobs
//	arcp watch JOB                        follow a job from its beginning
//	arcp cancel JOB                       end it
//
// See docs/cli.md.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
)

func main() {
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// streams are the standard streams of one run.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run executes one command line and returns its exit code. The first interrupt ends the command in good order; from then
// on a second one ends the process.
func run(args []string, s streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := newRoot(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(s.err, "arcp: "+term.Block(plainText(err.Error()), "      "))
	}
	return exitCode(err)
}
