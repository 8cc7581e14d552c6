package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// listing is what `arcp jobs` was told.
type listing struct {
	target
	ndjson bool
	status []string
	agent  string
	since  string
}

func newJobs(s streams) *cobra.Command {
	var o listing
	cmd := &cobra.Command{
		Use:   "jobs",
		Short: "List jobs",
		Long: "jobs lists the jobs of whoever asks, the oldest first, and those that have ended for as long as the runtime keeps\n" +
			"them: id, agent, status, when it was created and how many events it has.\n\n" + exitHelp,
		Example:           "  arcp jobs --status running\n  arcp jobs --agent index@2.0.0 --since 2h --json | jq -r .job_id",
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.resolve(cmd); err != nil {
			return err
		}
		return classify(o.run(cmd.Context(), s))
	}
	o.addFlags(cmd, shortGiveUp)
	f := cmd.Flags()
	f.BoolVar(&o.ndjson, "json", false, "write each job as a JSON object on a line of its own")
	f.StringSliceVar(&o.status, "status", nil, "only jobs in one of these `STATES`: "+strings.Join(statuses(), ", "))
	f.StringVar(&o.agent, "agent", "", "only jobs of the agent `NAME[@VERSION]`")
	f.StringVar(&o.since, "since", "", "only jobs created after `TIME`: 2006-01-02, 2006-01-02T15:04:05Z, or how long ago, as 2h30m")
	_ = cmd.RegisterFlagCompletionFunc("status", cobra.FixedCompletions(statuses(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("agent", completion(s, &o.target, agents))
	return cmd
}

func statuses() []string {
	var names []string
	for _, s := range []arcp.JobStatus{
		arcp.StatusPending, arcp.StatusRunning, arcp.StatusSuccess, arcp.StatusError, arcp.StatusCancelled, arcp.StatusTimedOut,
	} {
		names = append(names, string(s))
	}
	return names
}

func (o *listing) run(ctx context.Context, s streams) error {
	filter, err := o.filter(time.Now())
	if err != nil {
		return err
	}
	session, err := o.connect(ctx, s, (&plain{s.err}).note)
	if err != nil {
		return err
	}
	defer hangUp(session)
	out := bufio.NewWriter(s.out)
	write := writeJob
	if o.ndjson {
		write = writeJobJSON
	} else if isTerminal(s.out) {
		fmt.Fprintf(out, jobRow, "JOB", "AGENT", "STATUS", "CREATED", "EVENTS")
	}
	for job, err := range session.Jobs(ctx, filter) {
		if err != nil {
			return errors.Join(err, out.Flush())
		}
		if err := write(out, job); err != nil {
			return err
		}
	}
	return out.Flush()
}

// filter says which jobs are meant.
func (o *listing) filter(now time.Time) (*arcp.JobFilter, error) {
	filter := &arcp.JobFilter{Agent: o.agent}
	for _, name := range o.status {
		status := arcp.JobStatus(name)
		if !status.Known() {
			return nil, usagef("--status: %q is not one of %s", name, strings.Join(statuses(), ", "))
		}
		filter.Status = append(filter.Status, status)
	}
	if o.since != "" {
		since, err := pastTime(o.since, now)
		if err != nil {
			return nil, usagef("--since: %w", err)
		}
		filter.CreatedAfter = since
	}
	if err := filter.Validate(); err != nil {
		return nil, usagef("%w", err)
	}
	return filter, nil
}

// pastTime reads a time, or how long ago it was.
func pastTime(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil {
		if ago < 0 {
			return time.Time{}, fmt.Errorf("%s is in the future", text)
		}
		return now.Add(-ago).UTC(), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, now.Location()); err == nil {
		return day.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%q is neither a duration nor a time of the form %s or %s", text, time.DateOnly, time.RFC3339)
}

// jobRow fits ids and times as runtimes of ours make them, so that rows can be written as they come.
const jobRow = "%-30s  %-20s  %-9s  %-20s  %6s\n"

func writeJob(w io.Writer, j *arcp.JobSummary) error {
	_, err := fmt.Fprintf(w, jobRow, term.Line(j.JobID), term.Line(j.Agent), term.Line(string(j.Status)),
		j.CreatedAt.UTC().Format(time.RFC3339), fmt.Sprint(j.LastEventSeq))
	return err
}

func writeJobJSON(w io.Writer, j *arcp.JobSummary) error {
	text, err := j.AppendJSON(nil)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
