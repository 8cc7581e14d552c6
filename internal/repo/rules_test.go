package repo

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// module is the path that ours begin with.
const module = "github.com/arcpkit/arcp"

// node is one package of the module, with paths as go list gives them.
type node struct {
	path    string
	imports []string
}

// floors are the folders of the module, lowest first. A package imports its own folder and lower floors, never a neighbour and
// never up. Every package of the module lives in one of these.
var floors = [][]string{
	{"internal/proc"},
	{"internal/jsonx", "internal/glob", "internal/dynjson", "pkg/transport"},
	{"pkg/arcp"},
	{"pkg/internal/link", "pkg/internal/convo", "internal/invariant"},
	{"pkg/client", "pkg/runtime"},
	{"bindings/c", "cmd/arcp"},
	{"examples", "bench", "internal/repo", "internal/e2e", "internal/sim", "internal/linear", "internal/crash"},
}

// tower is the generator, which stands beside the floors: neither imports the other.
var tower = [][]string{
	{"templates"},
	{"gen"},
	{"cmd/arcpgen"},
}

// homes are the only folders that may import what is named, by module or package; tests are free. What is not named here is imported
// by nobody but tests.
var homes = map[string][]string{
	"github.com/dave/jennifer":              {"gen/golang"},
	"github.com/invopop/jsonschema":         {"gen/schema"},
	"go.yaml.in/yaml/v4":                    {"gen/spec"},
	"github.com/goccy/go-json":              {"internal/dynjson"},
	"github.com/cockroachdb/apd/v3":         {"pkg/arcp"},
	"github.com/coder/websocket":            {"pkg/transport/ws", "bench"}, // bench holds us against it
	"github.com/spf13/cobra":                {"cmd/arcp"},
	"github.com/spf13/pflag":                {"cmd/arcp"},
	"github.com/vbauerster/mpb/v8":          {"cmd/arcp"},
	"golang.org/x/term":                     {"cmd/arcp"},
	"github.com/rogpeppe/go-internal":       {"pkg/internal/convo"},
	"modernc.org/sqlite":                    {"pkg/runtime/store/sqlite"},
	"unsafe":                                {"internal/jsonx", "bindings/c"},
	"C":                                     {"bindings/c"},
	module + "/internal/proc":               {"pkg/transport", "pkg/runtime/program", "internal/crash"},
	module + "/pkg/transport/ws":            {"cmd/arcp", "bindings/c", "examples", "bench", "internal/crash"},
	module + "/pkg/transport/faulty":        {"internal/e2e", "internal/sim", "internal/linear"},
	module + "/pkg/internal/convo":          {},                                                 // conversations are played by tests
	module + "/internal/invariant":          {"internal/e2e", "internal/sim", "internal/crash"}, // traces are judged by tests
	module + "/examples/internal":           {"examples"},
	module + "/bench/shadow":                {"bench"},
	module + "/pkg/runtime/store/storetest": {}, // the suite that every engine's tests run
	module + "/pkg/runtime/store":           {"pkg/runtime", "bindings/c", "cmd/arcp", "examples", "bench", "internal/crash"},
	module + "/cmd/arcp/internal/term":      {"cmd/arcp"},
}

// graphs are the packages whose whole graph stays small: what is not of the module or the standard library must be listed, and of the
// standard library what is listed must not be there.
var graphs = map[string]struct{ may, mustNot []string }{
	"pkg/arcp":      {may: []string{"github.com/cockroachdb/apd/v3"}, mustNot: []string{"net", "net/http"}},
	"pkg/transport": {mustNot: []string{"net", "net/http"}},
	"pkg/client": {
		may:     []string{"github.com/cockroachdb/apd/v3", "github.com/goccy/go-json"},
		mustNot: []string{"net/http", "database/sql"},
	},
	"pkg/runtime": {
		may:     []string{"github.com/cockroachdb/apd/v3", "github.com/goccy/go-json"},
		mustNot: []string{"net/http", "database/sql"},
	},
}

// violations are what the rules say about the packages of the module, which go with what they import, and about their graphs; all is
// every package by path.
func violations(all map[string]node) []string {
	var found []string
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if dir, ours := inModule(path); ours {
			if !onFloor(dir) {
				found = append(found, dir+" has no floor; give it one in internal/repo")
			}
			for _, imp := range all[path].imports {
				if rule := breaks(dir, imp); rule != "" {
					found = append(found, fmt.Sprintf("%s imports %s: %s", dir, strings.TrimPrefix(imp, module+"/"), rule))
				}
			}
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(graphs)) {
		found = append(found, graphViolations(dir, all)...)
	}
	return found
}

// breaks is the rule that an import in a folder breaks, "" for none.
func breaks(dir, imp string) string {
	if rule := homeRule(dir, imp); rule != "" {
		return rule
	}
	to, ours := inModule(imp)
	if !ours {
		return ""
	}
	from, at := floorOf(floors, dir)
	target, below := floorOf(floors, to)
	fromTower, rise := floorOf(tower, dir)
	toTower, drop := floorOf(tower, to)
	switch {
	case !onFloor(dir):
		return "" // which is said of the package itself
	case !onFloor(to):
		return "what is imported has no floor; give it one in internal/repo"
	case fromTower != "" && target != "":
		return "the generator imports nothing that it generates or that needs what it generates"
	case from != "" && toTower != "":
		return "only cmd/arcpgen and tests import the generator"
	case from != "" && from != target && below == at:
		return fmt.Sprintf("%s and %s stand on one floor, and neighbours do not know each other", from, target)
	case from != "" && below > at, fromTower != "" && drop > rise:
		return "imports go down only"
	}
	return ""
}

// homeRule is the rule of what only some folders may import.
func homeRule(dir, imp string) string {
	best := ""
	for what := range homes {
		if within(imp, what) && len(what) > len(best) {
			best = what
		}
	}
	_, ours := inModule(imp)
	switch {
	case best == "" && (ours || standard(imp)):
		return ""
	case best == "":
		return "what is not of the standard library needs a home in internal/repo, or stays in tests"
	case within(module+"/"+dir, best) || slices.ContainsFunc(homes[best], func(home string) bool { return within(dir, home) }):
		return ""
	case len(homes[best]) == 0:
		return "only tests import it"
	}
	return "only " + strings.Join(homes[best], ", ") + " may"
}

// graphViolations walks everything that a package needs, and says along which way it got to what must not be there.
func graphViolations(dir string, all map[string]node) []string {
	limits, root := graphs[dir], module+"/"+dir
	var found []string
	via := map[string]string{root: ""}
	queue := []string{root}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		for _, imp := range all[path].imports {
			if _, seen := via[imp]; seen {
				continue
			}
			via[imp] = path
			_, ours := inModule(imp)
			outside := !ours && !standard(imp) && !standard(path) && !slices.ContainsFunc(limits.may, func(m string) bool { return within(imp, m) })
			if outside || slices.Contains(limits.mustNot, imp) {
				found = append(found, fmt.Sprintf("%s reaches %s: its graph must stay without (%s)", dir, imp, way(via, imp)))
				continue
			}
			queue = append(queue, imp)
		}
	}
	return found
}

func way(via map[string]string, path string) string {
	steps := []string{}
	for ; path != ""; path = via[path] {
		steps = append(steps, strings.TrimPrefix(path, module+"/"))
	}
	slices.Reverse(steps)
	return strings.Join(steps, " > ")
}

// inModule is the folder of a package of the module.
func inModule(path string) (dir string, ours bool) {
	return strings.CutPrefix(path, module+"/")
}

// standard says whether a path is of the standard library, whose first elements have no dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+"/")
}

func onFloor(dir string) bool {
	floor, _ := floorOf(floors, dir)
	rise, _ := floorOf(tower, dir)
	return floor != "" || rise != ""
}

// floorOf is the folder of a list of floors that dir is in, and its height; "" when there is none.
func floorOf(floors [][]string, dir string) (folder string, height int) {
	for height, folders := range floors {
		for _, folder := range folders {
			if within(dir, folder) {
				return folder, height
			}
		}
	}
	return "", -1
}
