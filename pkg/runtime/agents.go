package runtime

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
	best, highest := v.versions[len(v.versions)-1], semver{}
	for _, s := range v.versions {
		if x, ok := parseSemver(s); ok && (highest.core == nil || x.compare(highest) > 0) {
			best, highest = s, x
		}
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
