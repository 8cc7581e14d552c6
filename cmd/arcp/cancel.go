package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
)

// cancellation is what `arcp cancel` was told.
type cancellation struct {
	target
	reason string
}

func newCancel(s streams) *cobra.Command {
	var o cancellation
	cmd := &cobra.Command{
		Use:   "cancel JOB",
		Short: "Cancel a job and wait for its end",
		Long: "cancel ends a job. As long as the session that submitted a job can be resumed, nobody else may cancel it: that of\n" +
			"`arcp submit --detach` is found by itself, and resumed where it was. Later every session of the same principal may.\n\n" + exitHelp,
		Example:           "  arcp cancel \"$job\" --reason 'not needed any more'",
		Args:              arguments(1, 1),
		ValidArgsFunction: completion(s, &o.target, unfinished),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := o.resolve(cmd); err != nil {
			return err
		}
		return classify(o.run(cmd.Context(), s, args[0]))
	}
	o.addFlags(cmd, shortGiveUp)
	cmd.Flags().StringVar(&o.reason, "reason", "", "`TEXT` that says why; the runtime notes it with the job")
	return cmd
}

func (o *cancellation) run(ctx context.Context, s streams, jobID string) error {
	if err := (&arcp.JobCancel{JobID: jobID, Reason: o.reason}).Validate(); err != nil {
		return usagef("%w", err)
	}
	sessions, _ := openKept() // without a folder nothing was kept in it
	sessions.sweepNow()
	session, resumed, err := o.session(ctx, s, sessions, jobID)
	if err != nil {
		return err
	}
	kept := func() {}
	if resumed {
		kept = sessions.renew(jobID, o.url, session, (&plain{s.err}).note)
	}
	defer func() {
		hangUp(session)
		kept()
	}()
	job, err := session.Subscribe(ctx, jobID, nil)
	if err == nil {
		err = o.end(ctx, job)
	}
	if resumed && !isRunning(job) {
		sessions.forget(jobID)
	}
	if err == nil {
		_, err = fmt.Fprintf(s.out, "%s %s\n", term.Line(job.ID()), job.Status())
		return err
	}
	ended := arcp.JobStatus("")
	if errors.Is(err, arcp.CodePermissionDenied) || errors.Is(err, arcp.CodeInvalidRequest) {
		ended = endedAs(ctx, session, jobID)
	}
	switch {
	case ended != "":
		err = &exitError{exitRefused, fmt.Errorf("the job has ended already, as %s", ended)}
	case !resumed && errors.Is(err, arcp.CodePermissionDenied):
		err = classify(err)
		err = &exitError{exitRefused, fmt.Errorf("%w\nonly the session that submitted it may cancel it, as long as that can be resumed", err)}
	}
	return err
}

// session resumes the session that submitted the job, or opens a new one when this user has none.
func (o *cancellation) session(ctx context.Context, s streams, sessions keptSessions, jobID string) (*client.Session, bool, error) {
	note := (&plain{s.err}).note
	state, url, err := sessions.load(jobID)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, false, usagef("%w", err)
	case err == nil && !o.given:
		o.url = url
	}
	if err == nil && o.stdio == "" && o.url == url { // what resumes a session is no business of another runtime
		session, err := o.resume(ctx, s, note, state)
		if err == nil {
			if err := sessions.save(jobID, url, session, true); err != nil { // the runtime has made a new token
				note(eventLine("client", term.Line("the session could not be kept: "+err.Error())))
			}
			return session, true, nil
		}
		if !errors.Is(err, client.ErrSessionExpired) {
			return nil, false, err
		}
		sessions.forget(jobID)
	} else if err == nil {
		note(eventLine("client", term.Line("not used is the job's session, which was kept for "+url)))
	}
	session, err := o.connect(ctx, s, note)
	return session, false, err
}

// end cancels the job and waits until it has ended.
func (o *cancellation) end(ctx context.Context, job *client.Job) error {
	ctx, done := context.WithTimeout(ctx, cancelTimeout)
	defer done()
	if err := job.Cancel(ctx, o.reason); err != nil {
		return notCancelled(err)
	}
	_, err := job.Result(ctx)
	switch {
	case !isRunning(job):
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("the job was cancelled and does not end")
	}
	return err
}

func isRunning(job *client.Job) bool { return job == nil || job.Status() == arcp.StatusRunning }

// endedAs looks up how a job ended; it is empty when that is not known, or it has not. A runtime may refuse to cancel for other reasons
// before it looks at that.
func endedAs(ctx context.Context, session *client.Session, jobID string) arcp.JobStatus {
	filter := &arcp.JobFilter{Status: []arcp.JobStatus{
		arcp.StatusSuccess, arcp.StatusError, arcp.StatusCancelled, arcp.StatusTimedOut,
	}}
	for job, err := range session.Jobs(ctx, filter) {
		if err != nil {
			break
		}
		if job.JobID == jobID {
			return job.Status
		}
	}
	return ""
}
