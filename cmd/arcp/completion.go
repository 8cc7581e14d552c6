package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
)

// completionTimeout bounds how long a key press may take.
const completionTimeout = 2 * time.Second

// completion asks the runtime for what the first argument, or a flag, may be. When it cannot be asked there is nothing to offer.
func completion(s streams, t *target, ask func(context.Context, *client.Session) []cobra.Completion) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 || t.resolve(cmd) != nil || t.stdio != "" {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, done := context.WithTimeout(cmd.Context(), completionTimeout)
		defer done()
		session, err := t.connect(ctx, s, func(string) {})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer hangUp(session)
		return ask(ctx, session), cobra.ShellCompDirectiveNoFileComp
	}
}

func agents(_ context.Context, session *client.Session) []cobra.Completion {
	var found []cobra.Completion
	for _, agent := range session.Agents() {
		found = append(found, term.Line(agent.Name))
		for _, version := range agent.Versions {
			found = append(found, term.Line(agent.Name+"@"+version))
		}
	}
	return found
}

// unfinished are the jobs that have not ended, each with its agent.
func unfinished(ctx context.Context, session *client.Session) []cobra.Completion {
	var found []cobra.Completion
	filter := &arcp.JobFilter{Status: []arcp.JobStatus{arcp.StatusPending, arcp.StatusRunning}}
	for job, err := range session.Jobs(ctx, filter) {
		if err != nil {
			break
		}
		found = append(found, cobra.CompletionWithDesc(term.Line(job.JobID), term.Line(job.Agent)))
	}
	return found
}
