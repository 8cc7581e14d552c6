package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/arcpkit/arcp/pkg/arcp"
)

func newToken(s streams) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "token PRINCIPAL",
		Short: "Make a token for a principal",
		Long: "token makes a token and prints it once, on standard output. The line that stands for it in a file for\n" +
			"`arcp serve --token-file` holds its hash only; it is added to FILE, or printed on standard error.",
		Args: arguments(1, 1),
	}
	cmd.RunE = action(func(_ context.Context, args []string) error {
		if err := notEmpty(cmd.Flags(), "token-file"); err != nil {
			return err
		}
		return makeToken(s, args[0], file)
	})
	cmd.Flags().StringVar(&file, "token-file", "", "`FILE` to add the line to; it is made with mode 0600")
	return cmd
}

func makeToken(s streams, principal, file string) error {
	if principal == "" || strings.ContainsAny(principal, " \t\r\n") || strings.HasPrefix(principal, "#") {
		return usagef("the principal %q is empty, holds a space or begins with #", principal)
	}
	token := arcp.NewToken()
	line := principal + " " + arcp.HashToken(token.Reveal()).String() + "\n"
	if file == "" {
		fmt.Fprint(s.err, line)
	} else if err := appendLine(file, line); err != nil {
		return usagef("--token-file: %w", err)
	}
	_, err := fmt.Fprintln(s.out, token.Reveal())
	return err
}

func appendLine(file, line string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line)
	return errors.Join(err, f.Close())
}
