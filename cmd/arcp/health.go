package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// healthTimeout bounds the whole question.
const healthTimeout = 5 * time.Second

func newHealth(s streams) *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a runtime whether it is ready",
		Long: "health asks for /readyz where `arcp serve --ops` answers, prints what it says, and ends with code 0 if that is ready,\n" +
			"as containers and service managers want it. It needs no token.\n\n" + exitHelp,
		Example: "  arcp health --ops 127.0.0.1:7879",
		Args:    arguments(0, 0),
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := applyEnv(cmd.Flags()); err != nil {
			return usagef("%w", err)
		}
		if err := checkAddress(address); err != nil {
			return usagef("%s: %w", source(cmd.Flags(), "ops"), err)
		}
		return classify(health(cmd.Context(), s.out, address))
	}
	cmd.Flags().StringVar(&address, "ops", defaultListen, "`ADDRESS` that was given to arcp serve --ops, or where it listens")
	envFlag(cmd.Flags(), "ops", "ARCP_OPS")
	return cmd
}

func health(ctx context.Context, out io.Writer, address string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	if strings.HasPrefix(address, ":") {
		address = "127.0.0.1" + address
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+readyPath, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return &exitError{code: exitNoLink, err: inner(err)}
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	if err != nil {
		return &exitError{code: exitNoLink, err: err}
	}
	what := plainText(strings.TrimSpace(string(text)))
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", what)
	}
	_, err = fmt.Fprintln(out, what)
	return err
}
