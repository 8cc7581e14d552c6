package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/arcpkit/arcp/pkg/arcp"
)

func newVersion(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of this program, the protocol and its description",
		Args:  arguments(0, 0),
		RunE: action(func(context.Context, []string) error {
			_, err := io.WriteString(s.out, versions())
			return err
		}),
	}
}

func versions() string {
	return fmt.Sprintf("arcp %s\nprotocol %s\nspec %s\n", version(), arcp.Version, arcp.SpecDigest)
}

// version is the module's, as the Go command recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
