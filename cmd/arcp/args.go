package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// arguments takes from least to most of them. What a command is called with stands in its Use.
func arguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if least <= len(args) && len(args) <= most {
			return nil
		}
		return fmt.Errorf("%d arguments for %s\nsee %s --help", len(args), cmd.UseLine(), cmd.CommandPath())
	}
}

// flagError says what is wrong with a flag in the words of who wrote it.
func flagError(cmd *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	if errors.As(err, &value) {
		f := value.GetFlag()
		err = fmt.Errorf("--%s: %w", f.Name, badValue(f, value.GetValue(), value.Unwrap()))
	}
	return fmt.Errorf("%w\nsee %s --help", err, cmd.CommandPath())
}

// badValue says why a flag does not take a value; the names of Go functions are of no help with that.
func badValue(f *pflag.Flag, value string, err error) error {
	switch f.Value.Type() {
	case "bool":
		return fmt.Errorf("%q is neither true nor false", value)
	case "duration":
		return fmt.Errorf("%q is not a duration as 30s or 2h30m", value)
	default:
		return err
	}
}

// source names what set a flag: itself, or its variable.
func source(flags *pflag.FlagSet, name string) string {
	f := flags.Lookup(name)
	if f == nil || f.Changed {
		return "--" + name
	}
	for _, variable := range f.Annotations[envAnnotation] {
		if os.Getenv(variable) != "" {
			return variable
		}
	}
	return "--" + name
}

// notEmpty refuses flags that were given without a value: a variable of a script that was not set, mostly.
func notEmpty(flags *pflag.FlagSet, names ...string) error {
	for _, name := range names {
		if f := flags.Lookup(name); f != nil && f.Changed && f.Value.String() == "" {
			return usagef("--%s: it is empty", name)
		}
	}
	return nil
}
