package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/arcpkit/arcp/internal/proc"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// DefaultGrace is how long a program has to leave when its job is over, and again after it was told to terminate. Twice
// that stays below the grace a runtime gives a cancelled agent.
const DefaultGrace = 4 * time.Second

// Options shapes an Agent. The zero value, or nil, is good.
type Options struct {
	// Dir is the working folder; empty means this process's own.
	Dir string
	// Env is the environment programs start from, "KEY=value" each; nil means this process's own. Variables whose names
	// begin with ARCP_ are taken out, for they hold the operator's tokens, and TRACEPARENT is set to the job's trace and
	// ARCP_ATTEMPT to the number of the run, from 1.
	Env []string
	// Grace is how long a program may take to leave; 0 means DefaultGrace.
	Grace time.Duration
	// MaxLine bounds a line of output, in bytes; a longer one ends the job. 0 means the largest frame that is read.
	MaxLine int
}

// Agent runs a program for each job. It may be registered under several names.
type Agent struct {
	argv []string
	opts Options
}

var _ runtime.Agent = (*Agent)(nil)

// New returns an agent that runs argv, the program and its arguments; no shell reads them. The program is looked up now,
// so that one that is not there is known before the first job. The options are copied.
func New(argv []string, o *Options) (*Agent, error) {
	if len(argv) == 0 || argv[0] == "" {
		return nil, errors.New("program: the command is empty")
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return nil, fmt.Errorf("program: %w", err)
	}
	a := &Agent{argv: slices.Clone(argv)}
	a.argv[0] = path
	if o != nil {
		a.opts = *o
	}
	if a.opts.Env == nil {
		a.opts.Env = os.Environ()
	}
	if a.opts.Grace <= 0 {
		a.opts.Grace = DefaultGrace
	}
	if a.opts.MaxLine <= 0 {
		a.opts.MaxLine = arcp.LimitFrameIn
	}
	return a, nil
}

// failed is how a job ends, with what only the runtime's log is told of it.
type failed struct {
	told  *arcp.Error
	aside string
}

func (f *failed) Error() string { return f.told.Error() + " (" + f.aside + ")" }

func (f *failed) Unwrap() error { return f.told }

// Run starts the program and lives as long as it does. A program that ends without a result or an error, or that writes
// what is not the line protocol, fails the job with INTERNAL_ERROR and the reason.
func (a *Agent) Run(ctx context.Context, t *runtime.Task) error {
	input, err := inputLine(t.Input())
	if err != nil {
		return err
	}
	p, err := proc.Start(proc.Options{
		Args: a.argv, Dir: a.opts.Dir, Env: environment(a.opts.Env, runtime.Traceparent(ctx), t.Attempt()),
		PipeStderr: true, Grace: a.opts.Grace, EndWithParent: true,
	})
	if err != nil {
		return &failed{arcp.NewError(arcp.CodeInternalError, "the agent program could not be started"), err.Error()}
	}
	s := &session{task: t, process: p, maxLine: a.opts.MaxLine, input: make(chan []byte, 16)}
	err = s.run(ctx, input)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
