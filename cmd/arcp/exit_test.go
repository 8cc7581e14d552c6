package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// What became of the connection is told apart from what the runtime refuses, though its refusal may be the cause.
func TestClassify(t *testing.T) {
	t.Parallel()
	refusal := arcp.RemoteError(arcp.CodeResumeWindowExpired, "gone", false, nil)
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, exitOK},
		{errors.New("disk full"), exitFailed},
		{usagef("no"), exitUsage},
		{fmt.Errorf("more: %w", usagef("no")), exitUsage},
		{context.Canceled, exitFailed},
		{refusal, exitRefused},
		{fmt.Errorf("x: %w", refusal), exitRefused},
		{ws.ErrInsecure, exitRefused},
		{fmt.Errorf("%w: %w", client.ErrLinkLost, refusal), exitNoLink},
		{fmt.Errorf("%w: %w", client.ErrSessionExpired, refusal), exitNoLink},
		{fmt.Errorf("%w: %w", client.ErrTakenOver, refusal), exitNoLink},
		{client.ErrProtocol, exitNoLink},
		{notCancelled(context.DeadlineExceeded), exitNoLink},
		{notCancelled(refusal), exitRefused},
		{arcp.NewError(arcp.CodeInvalidRequest, "ours"), exitUsage},
	} {
		if got := exitCode(classify(c.err)); got != c.want {
			t.Errorf("the code of %v is %d, want %d", c.err, got, c.want)
		}
	}
}

// Of what a session logs the user is told each thing once in a row, cleaned, and nothing that is for programmers.
func TestNotes(t *testing.T) {
	t.Parallel()
	var told []string
	log := slog.New(&notes{tell: func(line string) { told = append(told, line) }}).With("session", "s")
	for range 3 {
		log.Info("link lost", "attempt", 1, "error", errors.New("cut\x1b[2J"))
	}
	log.Debug("frame ignored")
	log.Info("session resumed", "from", 7)
	log.Info("link lost", "error", errors.New("again"))
	want := []string{
		`client     link lost: cut\x1b[2J` + "\n", "client     session resumed\n", "client     link lost: again\n",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
