package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
)

// observation is what `arcp watch` was told.
type observation struct {
	target
	ndjson bool
}

func newWatch(s streams) *cobra.Command {
	var o observation
	cmd := &cobra.Command{
		Use:   "watch JOB",
		Short: "Follow a job from its beginning to its end",
		Long: "watch shows what has happened in a job that somebody else submitted, then what happens, on standard error, and writes\n" +
			"its result to standard output. Links that are lost are made again; each event is shown once. It ends as `arcp submit`\n" +
			"ends. An interrupt ends the watching and not the job.\n\n" + exitHelp,
		Example:           "  arcp watch \"$job\"\n  arcp watch \"$job\" --json | jq .payload",
		Args:              arguments(1, 1),
		ValidArgsFunction: completion(s, &o.target, unfinished),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := o.resolve(cmd); err != nil {
			return err
		}
		return classify(o.run(cmd.Context(), s, args[0]))
	}
	o.addFlags(cmd, longGiveUp)
	cmd.Flags().BoolVar(&o.ndjson, "json", false, "write all messages about the job to standard output, one JSON object a line")
	return cmd
}

func (o *observation) run(ctx context.Context, s streams, jobID string) error {
	v := newView(s.err)
	defer v.close()
	session, err := o.connect(ctx, s, v.note)
	if err != nil {
		return err
	}
	defer hangUp(session)
	job, err := observe(ctx, session, jobID, v.note)
	if err != nil {
		return err
	}
	err = followed(ctx, job, v, s.out, o.ndjson)
	if job.Status() != arcp.StatusRunning {
		if sessions, err := openKept(); err == nil {
			sessions.forget(jobID) // there is nothing left to cancel
		}
	}
	return err
}

// observe subscribes to a job with what the runtime still has of its history.
func observe(ctx context.Context, session *client.Session, jobID string, note func(string)) (*client.Job, error) {
	options := client.SubscribeOptions{History: true}
	for {
		job, err := session.Subscribe(ctx, jobID, &options)
		first := firstKept(err)
		if first <= options.From+1 {
			return job, err
		}
		options.From = first - 1
		note(eventLine("client", fmt.Sprintf("the runtime does not keep the first %d events any more", options.From)))
	}
}

// firstKept reads from a refusal where the history begins that the runtime still has; 0 when it does not say.
func firstKept(err error) uint64 {
	var refusal *arcp.Error
	if !errors.As(err, &refusal) || refusal.Code != arcp.CodeResumeWindowExpired {
		return 0
	}
	var details map[string]arcp.RawJSON
	var first uint64
	if dynjson.Unmarshal(refusal.Details, &details) != nil || dynjson.Unmarshal(details[arcp.DetailFirst], &first) != nil {
		return 0
	}
	return first
}
