package repo

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The tree keeps the rules, on every kind of system that has files of its own.
func TestImports(t *testing.T) {
	t.Parallel()
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			t.Parallel()
			for _, v := range violations(load(t, goos)) {
				t.Error(v)
			}
		})
	}
}

// Tests may import what they need, but the client's and the runtime's do not lean on each other: each is held to the protocol, not
// to the other's reading of it. Both together are tested in internal/e2e and under pkg/runtime/program.
func TestImportsOfTests(t *testing.T) {
	t.Parallel()
	for path, n := range load(t, "linux", "-test") {
		dir, ours := inModule(strings.TrimSuffix(path, "_test"))
		if !ours {
			continue
		}
		for pkg, other := range map[string]string{"pkg/client": "pkg/runtime", "pkg/runtime": "pkg/client"} {
			if dir == pkg && slices.Contains(n.imports, module+"/"+other) {
				t.Errorf("a test of %s imports %s: client and runtime never import each other", dir, other)
			}
		}
	}
}

// load is the graph of the module as go list tells it; with -test the packages are those of the tests, too.
func load(t *testing.T, goos string, flags ...string) map[string]node {
	t.Helper()
	args := append([]string{"list", "-deps", "-json=ImportPath,ForTest,Imports"}, flags...)
	cmd := exec.CommandContext(t.Context(), "go", append(args, module+"/...")...)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=1", "GOFLAGS=-mod=readonly")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	all := map[string]node{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			ForTest    string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		n := node{path: plain(p.ImportPath)}
		for _, imp := range p.Imports {
			n.imports = append(n.imports, plain(imp))
		}
		if p.ForTest != "" {
			n.imports = append(n.imports, all[n.path].imports...)
		}
		all[n.path] = n
	}
	if len(all) < 100 {
		t.Fatalf("go list told of %d packages only", len(all))
	}
	return all
}

// plain is an import path without what go list adds, the test it was built for.
func plain(path string) string {
	path, _, _ = strings.Cut(path, " ")
	return path
}

// What the rules say about imports that are not there.
func TestViolations(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, from, imports, want string
	}{
		{"down", "pkg/client", module + "/pkg/internal/link", ""},
		{"processes of a transport", "pkg/transport", module + "/internal/proc", ""},
		{"processes elsewhere", "pkg/client", module + "/internal/proc", "pkg/client imports internal/proc: only pkg/transport, pkg/runtime/program, internal/crash may"},
		{"own folder", "pkg/runtime/program", module + "/pkg/runtime", ""},
		{"home", "gen/golang", "github.com/dave/jennifer/jen", ""},
		{"standard library", "pkg/runtime", "sync", ""},
		{"up", "pkg/arcp", module + "/pkg/internal/link", "pkg/arcp imports pkg/internal/link: imports go down only"},
		{"up from a deeper folder", "pkg/transport/ws", module + "/pkg/arcp", "pkg/transport/ws imports pkg/arcp: imports go down only"},
		{"up from a command", "cmd/arcp", module + "/examples/cancel", "cmd/arcp imports examples/cancel: imports go down only"},
		{
			"client and runtime", "pkg/client", module + "/pkg/runtime",
			"pkg/client imports pkg/runtime: pkg/client and pkg/runtime stand on one floor, and neighbours do not know each other",
		},
		{
			"leaves", "internal/dynjson", module + "/internal/jsonx",
			"internal/dynjson imports internal/jsonx: internal/dynjson and internal/jsonx stand on one floor, and neighbours do not know each other",
		},
		{
			"WebSocket below", "pkg/runtime", module + "/pkg/transport/ws",
			"pkg/runtime imports pkg/transport/ws: only cmd/arcp, bindings/c, examples, bench, internal/crash may",
		},
		{"jennifer outside", "gen/text", "github.com/dave/jennifer/jen", "gen/text imports github.com/dave/jennifer/jen: only gen/golang may"},
		{"unsafe outside", "pkg/arcp", "unsafe", "pkg/arcp imports unsafe: only internal/jsonx, bindings/c may"},
		{"testing outside tests", "pkg/runtime", module + "/pkg/internal/convo", "pkg/runtime imports pkg/internal/convo: only tests import it"},
		{
			"stranger", "pkg/runtime", "example.com/orm",
			"pkg/runtime imports example.com/orm: what is not of the standard library needs a home in internal/repo, or stays in tests",
		},
		{
			"generator imports the generated", "gen/vectors", module + "/pkg/arcp",
			"gen/vectors imports pkg/arcp: the generator imports nothing that it generates or that needs what it generates",
		},
		{
			"generator imported", "cmd/arcp", module + "/gen/spec",
			"cmd/arcp imports gen/spec: only cmd/arcpgen and tests import the generator",
		},
		{"generator up", "gen/text", module + "/cmd/arcpgen", "gen/text imports cmd/arcpgen: imports go down only"},
		{"no floor", "pkg/extra", module + "/pkg/arcp", "pkg/extra has no floor; give it one in internal/repo"},
		{"no floor and no imports of ours", "pkg/extra", "fmt", "pkg/extra has no floor; give it one in internal/repo"},
		{
			"no floor below", "cmd/arcp", module + "/pkg/extra",
			"cmd/arcp imports pkg/extra: what is imported has no floor; give it one in internal/repo",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from := module + "/" + tt.from
			got := violations(map[string]node{from: {path: from, imports: []string{tt.imports}}})
			got = slices.DeleteFunc(got, func(v string) bool { return strings.Contains(v, " reaches ") })
			if s := strings.Join(got, "\n"); s != tt.want {
				t.Errorf("violations = %q, want %q", s, tt.want)
			}
		})
	}
}

// Something heavy is found wherever it hides, with the way to it.
func TestGraphViolations(t *testing.T) {
	t.Parallel()
	link, apd := module+"/pkg/internal/link", "github.com/cockroachdb/apd/v3"
	got := violations(map[string]node{
		module + "/pkg/client": {imports: []string{link, module + "/pkg/arcp"}},
		module + "/pkg/arcp":   {imports: []string{apd}},
		link:                   {imports: []string{"example.com/metrics", "expvar"}},
		"expvar":               {imports: []string{"net/http", "golang.org/x/copied"}}, // what the standard library copies is its own affair
		apd:                    {imports: []string{"math/big"}},
	})
	want := []string{
		"pkg/internal/link imports example.com/metrics: what is not of the standard library needs a home in internal/repo, or stays in tests",
		"pkg/client reaches example.com/metrics: its graph must stay without (pkg/client > pkg/internal/link > example.com/metrics)",
		"pkg/client reaches net/http: its graph must stay without (pkg/client > pkg/internal/link > expvar > net/http)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("violations =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
