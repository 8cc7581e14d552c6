package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// maxInput bounds an input that is read from a file, in bytes; a frame could not carry more.
const maxInput = arcp.LimitFrameOut

// submission is what `arcp submit` was told.
type submission struct {
	target
	ndjson     bool
	authority  authority
	maxRuntime time.Duration
	key        string
	detach     bool
}

func newSubmit(s streams) *cobra.Command {
	var o submission
	cmd := &cobra.Command{
		Use:   "submit AGENT [JSON|@FILE|-]",
		Short: "Submit a job and follow it to its end",
		Long: "submit asks a runtime for a job of AGENT, a name or name@version, follows its events on standard error and\n" +
			"writes its result to standard output. The input is JSON: as it stands, from a file, or from standard input.\n" +
			"An interrupt cancels the job; a second one leaves it alone. Links that are lost are made again.\n\n" +
			"With --detach it prints the job's id and leaves the job to itself: `arcp watch` follows it, `arcp cancel` ends it.\n\n" +
			exitHelp,
		Example: "  arcp submit echo '{\"n\":1}'\n  arcp submit index@2.0.0 @input.json --lease 'fs.read=/data/**' --budget USD:5.00\n" +
			"  job=$(arcp submit index --key nightly --detach)",
		Args:              arguments(1, 2),
		ValidArgsFunction: completion(s, &o.target, agents),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := o.resolve(cmd); err != nil {
			return err
		}
		return classify(o.run(cmd.Context(), s, args))
	}
	o.addFlags(cmd, shortGiveUp)
	f := cmd.Flags()
	f.BoolVar(&o.ndjson, "json", false, "write all messages about the job to standard output, one JSON object a line")
	o.authority.addFlags(f)
	f.DurationVar(&o.maxRuntime, "max-runtime", 0, "end the job after this `DURATION`, in whole seconds; without it only the runtime has a limit, if any")
	f.StringVar(&o.key, "key", "", "submits with one `KEY` are one job, where the runtime can do that")
	f.BoolVar(&o.detach, "detach", false, "print the job's id and leave; what arcp cancel needs is kept for this user")
	return cmd
}

func (o *submission) run(ctx context.Context, s streams, args []string) error {
	if err := notEmpty(o.flags, "key", "expires"); err != nil {
		return err
	}
	submit, err := o.message(ctx, s, args)
	if err != nil {
		return err
	}
	if o.detach {
		return o.leave(ctx, s, submit)
	}
	v := newView(s.err)
	defer v.close()
	session, err := o.connect(ctx, s, v.note)
	if err != nil {
		return err
	}
	defer hangUp(session)
	job, err := session.SubmitEnvelope(ctx, envelope(submit))
	if err != nil {
		return err
	}
	ctx, done := cancelOnInterrupt(ctx, job, v.note, o.stdio == "")
	defer done()
	return followed(ctx, job, v, s.out, o.ndjson)
}

// leave submits the job and leaves it to itself. Its session is kept, for only that may cancel it as long as it can be resumed.
func (o *submission) leave(ctx context.Context, s streams, submit *arcp.JobSubmit) error {
	if o.stdio != "" {
		return usagef("--detach: a runtime that is spoken to over its standard streams ends with this command")
	}
	sessions, err := openKept()
	if err == nil {
		err = sessions.prepare()
	}
	if err != nil {
		return usagef("--detach keeps what arcp cancel needs: %w", err)
	}
	v := &plain{s.err}
	session, err := o.connect(ctx, s, v.note)
	if err != nil {
		return err
	}
	kept := func() {}
	defer func() {
		hangUp(session)
		kept()
	}()
	job, err := session.SubmitEnvelope(ctx, envelope(submit))
	if err != nil {
		return err
	}
	keeping := sessions.save(job.ID(), o.url, session, false)
	kept = sessions.renew(job.ID(), o.url, session, v.note)
	if keeping != nil {
		keeping = fmt.Errorf("the job runs, but its session could not be kept, without which it cannot be cancelled for now: %w", keeping)
	}
	if o.ndjson {
		return errors.Join((&jsonLines{out: s.out, job: job}).accepted(job.Accepted()), keeping)
	}
	_, err = fmt.Fprintln(s.out, term.Line(job.ID()))
	return errors.Join(err, keeping)
}

// envelope makes a job part of the caller's trace, under the caller's span.
func envelope(submit *arcp.JobSubmit) *arcp.Envelope {
	e := &arcp.Envelope{Payload: submit}
	parent := os.Getenv("TRACEPARENT")
	id, ok := arcp.ParseTraceID(parent)
	if !ok {
		return e
	}
	e.TraceID = id
	carrier, err := dynjson.Marshal(map[string]map[string]string{arcp.TraceExtension: {arcp.TraceparentKey: parent}})
	if err == nil {
		e.Extensions = carrier
	}
	return e
}

// message builds the job.submit; nothing is sent when it is wrong.
func (o *submission) message(ctx context.Context, s streams, args []string) (*arcp.JobSubmit, error) {
	submit := &arcp.JobSubmit{Agent: args[0], IdempotencyKey: o.key}
	if len(args) == 2 {
		text, err := argument(ctx, "the input", args[1], s.in)
		if err != nil {
			return nil, err
		}
		if submit.Input, err = arcp.ParseRaw(text); err != nil {
			return nil, usagef("the input is not JSON: %s", jsonProblem(text, err))
		}
	}
	if err := o.authority.ask(ctx, submit, s.in, time.Now()); err != nil {
		return nil, err
	}
	if o.maxRuntime != 0 {
		seconds := uint64(o.maxRuntime / time.Second)
		if o.maxRuntime < time.Second || o.maxRuntime%time.Second != 0 {
			return nil, usagef("--max-runtime: %s is not a positive number of whole seconds", o.maxRuntime)
		}
		submit.MaxRuntimeSec = &seconds
	}
	if err := submit.Validate(); err != nil {
		return nil, usagef("%w", err)
	}
	return submit, nil
}

// jsonProblem says what is wrong with a text that was refused, and where if that is known.
func jsonProblem(text []byte, refused error) string {
	_, err := dynjson.Compact(text)
	var at *dynjson.Error
	if errors.As(err, &at) {
		return fmt.Sprintf("%s at byte %d", at.Problem, at.Offset)
	}
	var found *arcp.DecodeError
	if errors.As(refused, &found) && len(found.Findings) > 0 {
		return found.Findings[0].String()
	}
	return refused.Error()
}
