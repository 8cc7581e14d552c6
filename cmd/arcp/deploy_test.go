package main

import (
	"encoding/json"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// What deploy/ calls arcp with, it takes.
func TestDeploy(t *testing.T) {
	t.Parallel()
	unit := strings.ReplaceAll(read(t, "../../deploy/arcp.service"), "\\\n", " ")
	started := regexp.MustCompile(`(?m)^ExecStart=/usr/bin/arcp (.*)$`).FindStringSubmatch(unit)
	if started == nil {
		t.Fatal("the unit starts no arcp")
	}
	takes(t, strings.Fields(strings.TrimSuffix(started[1], " $ARCP_FLAGS")))

	file := read(t, "../../deploy/Containerfile")
	calls := regexp.MustCompile(`(?m)^(?:HEALTHCHECK .*)?CMD (\[.*\])$`).FindAllStringSubmatch(file, -1)
	if len(calls) != 2 {
		t.Fatalf("the container file has %d commands, want the health check and the service", len(calls))
	}
	for _, c := range calls {
		var args []string
		if err := json.Unmarshal([]byte(c[1]), &args); err != nil {
			t.Fatal(err)
		}
		takes(t, slices.DeleteFunc(args, func(a string) bool { return a == "/usr/bin/arcp" }))
	}
	known := map[string]bool{}
	for _, cmd := range newRoot(streams{strings.NewReader(""), io.Discard, io.Discard}).Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			for _, v := range f.Annotations[envAnnotation] {
				known[v] = true
			}
		})
	}
	for _, v := range regexp.MustCompile(`\b(ARCP_\w+)=`).FindAllStringSubmatch(file, -1) {
		if !known[v[1]] {
			t.Errorf("the container file sets %s, which arcp does not know", v[1])
		}
	}
}

func takes(t *testing.T, args []string) {
	t.Helper()
	cmd, rest, err := newRoot(streams{strings.NewReader(""), io.Discard, io.Discard}).Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err != nil || cmd.Name() != args[0] || cmd.Flags().NArg() > 0 {
		t.Errorf("arcp %s: %v", strings.Join(args, " "), err)
	}
}

// Each metric has its line in docs/operations.md.
func TestOperationsPage(t *testing.T) {
	t.Parallel()
	page := read(t, "../../docs/operations.md")
	source := read(t, "../../pkg/runtime/metrics.go")
	for _, m := range regexp.MustCompile(`"(arcp_\w+)"`).FindAllStringSubmatch(source, -1) {
		if !strings.Contains(page, "`"+m[1]) {
			t.Errorf("docs/operations.md does not have the metric %s", m[1])
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
