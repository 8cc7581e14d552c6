package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newRoot builds the whole command tree; it holds no state beyond one run.
func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "arcp",
		Short: "Run ARCP runtimes and talk to them",
		Long: "arcp runs ARCP runtimes and talks to them.\n\n" +
			"On one machine `arcp serve` and `arcp submit` find each other. `arcp demo` shows a real job.\n\n" + exitHelp,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Version:           version(),
		Args:              unknownCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate(versions())
	root.SetFlagErrorFunc(flagError)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.AddCommand(newServe(s), newSubmit(s), newJobs(s), newWatch(s), newCancel(s), newDemo(s), newToken(s), newData(s), newHealth(s), newVersion(s))
	return root
}

// unknownCommand refuses what is no command; it is asked only about that.
func unknownCommand(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("there is no command %q\nsee arcp --help", args[0])
}

// action makes a cobra function of f, of which every error has an exit code.
func action(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		return classify(f(cmd.Context(), args))
	}
}

// envFlag lets the environment set a flag that the command line does not.
func envFlag(flags *pflag.FlagSet, name, variable string) {
	f := flags.Lookup(name)
	f.Usage += " [" + variable + "]"
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[envAnnotation] = []string{variable}
}

const envAnnotation = "arcp_env"

// applyEnv sets the flags that have a variable and were not given.
func applyEnv(flags *pflag.FlagSet) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		names := f.Annotations[envAnnotation]
		if len(names) == 0 || f.Changed || err != nil {
			return
		}
		if value := os.Getenv(names[0]); value != "" {
			if e := f.Value.Set(value); e != nil {
				err = fmt.Errorf("the environment variable %s: %w", names[0], badValue(f, value, e))
			}
		}
	})
	return err
}
