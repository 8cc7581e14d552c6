package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
)

func newData(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "Look into what a runtime has stored",
		Long:  "data looks into a folder that `arcp serve --data` keeps, while no runtime has it open. It changes nothing there.",
		Args:  unknownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDataCheck(s), newDataExport(s))
	return cmd
}

func newDataCheck(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "check FOLDER",
		Short: "See whether a folder of data is sound",
		Long:  "check reads everything in FOLDER and says what is damaged, a line for each, with exit code 1.",
		Args:  arguments(1, 1),
		RunE:  action(func(ctx context.Context, args []string) error { return checkData(ctx, s, args[0]) }),
	}
}

func checkData(ctx context.Context, s streams, folder string) error {
	r, err := sqlite.Check(ctx, folder)
	if err != nil {
		return dataError(err)
	}
	for _, p := range r.Problems {
		fmt.Fprintln(s.out, "damaged:", p)
	}
	if !r.Sound() {
		return &exitError{code: exitFailed, err: fmt.Errorf("%s has %d problems", folder, len(r.Problems)+r.More)}
	}
	_, err = fmt.Fprintf(s.out, "sound: %d jobs, %d sessions, %d idempotency keys, %d records, %d bytes\n",
		r.Jobs, r.Sessions, r.Reservations, r.Records, r.Bytes)
	return err
}

func newDataExport(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "export FOLDER",
		Short: "Write what is in a folder of data as lines of JSON",
		Long: "export writes what is in FOLDER to standard output, as lines of JSON: one for each job, session and idempotency\n" +
			"key, and one for each of its records. Secrets are not in it. What is damaged is left out, with exit code 1.",
		Args: arguments(1, 1),
		RunE: action(func(ctx context.Context, args []string) error {
			return dataError(sqlite.Export(ctx, args[0], s.out, arcprt.Show))
		}),
	}
}

// dataError says what is wrong in words of a command line.
func dataError(err error) error {
	if err == nil {
		return nil
	}
	text := errors.New(strings.TrimPrefix(err.Error(), "sqlite: "))
	if errors.Is(err, sqlite.ErrNoStore) {
		return &exitError{code: exitUsage, err: text}
	}
	if errors.Is(err, sqlite.ErrLocked) {
		text = fmt.Errorf("%w; stop it first", text)
	}
	return &exitError{code: exitFailed, err: text}
}
