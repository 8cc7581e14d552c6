package runtime

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Agent does the work of jobs. Run is called once a job, on its own goroutine, many at a time. The job ends when it returns: nil is
// success, an *arcp.Error ends the job with its code, any other error or a panic with INTERNAL_ERROR and no text. ctx is done when
// the job must stop; an agent that goes on after the grace is cut off.
type Agent interface {
	Run(ctx context.Context, t *Task) error
}

// AgentFunc is a function as an Agent.
type AgentFunc func(ctx context.Context, t *Task) error

// Run calls f.
func (f AgentFunc) Run(ctx context.Context, t *Task) error { return f(ctx, t) }

// agents is what a runtime can run, by name and version (§7.5).
type agents struct {
	mu     sync.RWMutex
	byName map[string]*agentVersions
}

type agentVersions struct {
	versions []string // in the order registered
	agents   map[string]Agent
	chosen   string // the default somebody set
}

func (a *agents) add(ref string, agent Agent) error {
	name, version, _ := strings.Cut(ref, "@")
	if version == "" && !strings.Contains(ref, "@") {
		version = arcp.DefaultAgentVersion
	}
	if err := checkAgentRef(name, version); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byName == nil {
		a.byName = map[string]*agentVersions{}
	}
	v := a.byName[name]
	if v == nil {
		v = &agentVersions{agents: map[string]Agent{}}
		a.byName[name] = v
	}
	if _, dup := v.agents[version]; dup {
		return fmt.Errorf("runtime: agent %s@%s is registered already", name, version)
	}
	v.agents[version] = agent
	v.versions = append(v.versions, version)
	return nil
}

func checkAgentRef(name, version string) error {
	s := arcp.JobSubmit{Agent: name + "@" + version}
	if err := s.Validate(); err != nil || version == "" {
		return fmt.Errorf("runtime: %q is not name or name@version", name+"@"+version)
	}
	return nil
}

func (a *agents) setDefault(name, version string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.byName[name]
	if v == nil || v.agents[version] == nil {
		return fmt.Errorf("runtime: agent %s@%s is not registered", name, version)
	}
	v.chosen = version
	return nil
}

// resolve returns the agent a reference names and its full name.
func (a *agents) resolve(ref string) (Agent, string, *arcp.Error) {
	name, version, pinned := strings.Cut(ref, "@")
	a.mu.RLock()
	defer a.mu.RUnlock()
	v := a.byName[name]
	if v == nil {
		return nil, "", arcp.NewError(arcp.CodeAgentNotAvailable, "there is no agent %q", name)
	}
	if !pinned {
		version = v.fallback()
	}
	agent := v.agents[version]
	if agent == nil {
		err := arcp.NewError(arcp.CodeAgentVersionNotAvailable, "agent %q has no version %q", name, version)
		return nil, "", withDetail(err, arcp.DetailAvailable, v.versions)
	}
	return agent, name + "@" + version, nil
}

// fallback is the version a bare name means: the one set, else the highest by SemVer, else the one registered last.
func (v *agentVersions) fallback() string {
	if v.chosen != "" {
		return v.chosen
	}
	best := ""
	for _, s := range v.versions {
		if isSemver(s) && (best == "" || compareSemver(s, best) > 0) {
			best = s
		}
	}
	if best == "" {
		best = v.versions[len(v.versions)-1]
	}
	return best
}

// inventory lists all agents by name, for the welcome.
func (a *agents) inventory() []arcp.AgentEntry {
	a.mu.RLock()
	defer a.mu.RUnlock()
	list := make([]arcp.AgentEntry, 0, len(a.byName))
	for name, v := range a.byName {
		list = append(list, arcp.AgentEntry{Name: name, Versions: slices.Clone(v.versions), Default: v.fallback()})
	}
	slices.SortFunc(list, func(x, y arcp.AgentEntry) int { return cmp.Compare(x.Name, y.Name) })
	return list
}

func isSemver(s string) bool {
	core, _, _ := strings.Cut(s, "+")
	core, _, _ = strings.Cut(core, "-")
	parts := strings.Split(core, ".")
	return len(parts) == 3 && !slices.ContainsFunc(parts, func(p string) bool {
		_, err := strconv.ParseUint(p, 10, 64)
		return err != nil || (len(p) > 1 && p[0] == '0')
	})
}

// compareSemver orders two versions by precedence (SemVer 2.0.0, 11): build metadata does not count.
func compareSemver(a, b string) int {
	a, _, _ = strings.Cut(a, "+")
	b, _, _ = strings.Cut(b, "+")
	aCore, aPre, aHas := strings.Cut(a, "-")
	bCore, bPre, bHas := strings.Cut(b, "-")
	if c := compareIdentifiers(aCore, bCore); c != 0 {
		return c
	}
	switch {
	case aHas != bHas && aHas:
		return -1
	case aHas != bHas:
		return 1
	}
	return compareIdentifiers(aPre, bPre)
}

func compareIdentifiers(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		nx, ex := strconv.ParseUint(x, 10, 64)
		ny, ey := strconv.ParseUint(y, 10, 64)
		switch {
		case ex == nil && ey == nil:
			return cmp.Compare(nx, ny)
		case ex == nil:
			return -1
		case ey == nil:
			return 1
		}
		return cmp.Compare(x, y)
	})
}
