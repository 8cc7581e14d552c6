//go:build unix

package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Each command and flag, with its variable, stands in docs/cli.md, and each exit code with the words of --help.
func TestCLIPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	has := func(what string) {
		if !strings.Contains(page, what) {
			t.Errorf("docs/cli.md does not have %q", what)
		}
	}
	for _, cmd := range newRoot(streams{strings.NewReader(""), io.Discard, io.Discard}).Commands() {
		has("## arcp " + cmd.Use[:len(cmd.Name())])
		checkFlags(cmd, has)
	}
	for _, l := range strings.Split(exitHelp, "\n")[1:] {
		code, meaning, _ := strings.Cut(strings.TrimSpace(l), "  ")
		has("| " + code + " | " + meaning + " |")
	}
}

func checkFlags(cmd *cobra.Command, has func(string)) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, limit := f.Value.(*limitFlag); limit {
			return // docs/limits.md is made from the same table
		}
		has("--" + f.Name)
		for _, variable := range f.Annotations[envAnnotation] {
			has("`" + variable + "`")
		}
	})
}

var fence = regexp.MustCompile("(?ms)^```\\w+ (\\S+)\n(.*?)^```$")

// writeDocs writes the programs of docs/agents.md into a folder, under the names that stand at their fences.
func writeDocs(dir string) error {
	page, err := os.ReadFile("../../docs/agents.md")
	if err != nil {
		return err
	}
	for _, block := range fence.FindAllSubmatch(page, -1) {
		if err := os.WriteFile(filepath.Join(dir, string(block[1])), block[2], 0o600); err != nil {
			return err
		}
	}
	return nil
}
