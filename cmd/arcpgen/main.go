// Command arcpgen writes everything that is generated from spec/.
//
// Run it through go generate ./... or alone, from anywhere in the repository. With -check it writes nothing, lists files
// that are stale, missing or orphaned, and exits with status 1 if there are any.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/arcpkit/arcp/gen"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("arcpgen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := flags.Bool("check", false, "write nothing; exit 1 if a generated file is stale, missing or orphaned")
	root := flags.String("root", "", "root of the repository (default: the folder above with go.mod and spec)")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintln(stderr, "arcpgen takes flags only")
		return 2
	}
	if *root == "" {
		found, err := findRoot()
		if err != nil {
			fmt.Fprintln(stderr, "arcpgen:", err)
			return 2
		}
		*root = found
	}
	if *check {
		return report(*root, stdout, stderr)
	}
	touched, err := gen.Write(*root)
	for _, path := range touched {
		fmt.Fprintln(stdout, path)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func report(root string, stdout, stderr io.Writer) int {
	found, err := gen.Check(os.DirFS(root))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	for _, f := range found {
		fmt.Fprintln(stdout, f)
	}
	if len(found) > 0 {
		fmt.Fprintln(stderr, gen.Advice)
		return 1
	}
	return 0
}

// findRoot goes up to the folder that holds go.mod and spec.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if exists(filepath.Join(dir, "go.mod")) && exists(filepath.Join(dir, "spec")) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod with a spec folder here or above; use -root")
		}
		dir = parent
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
