package runtime

import (
	"context"
	"slices"
	"testing"
)

func TestFallbackVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		versions []string
		want     string
	}{
		{"one", []string{"1.0.0"}, "1.0.0"},
		{"highest", []string{"1.9.0", "1.10.0", "1.2.0"}, "1.10.0"},
		{"release over candidate", []string{"2.0.0", "2.0.0-rc.1"}, "2.0.0"},
		{"candidates by number", []string{"1.0.0-rc.2", "1.0.0-rc.10", "1.0.0-rc"}, "1.0.0-rc.10"},
		{"numbers below words", []string{"1.0.0-1", "1.0.0-alpha"}, "1.0.0-alpha"},
		{"build does not count", []string{"1.0.0+b", "1.0.1+a"}, "1.0.1+a"},
		{"SemVer before others", []string{"0.1.0", "nightly"}, "0.1.0"},
		{"no SemVer: the last", []string{"blue", "green", "1.0"}, "1.0"},
		{"hardly SemVer", []string{"1.0.0", "2.0.0-", "2.0.0-01", "2.0.0+"}, "1.0.0"},
		{"numbers of any size", []string{"18446744073709551616.0.0", "9.0.0"}, "18446744073709551616.0.0"},
		{"leading zero is no SemVer", []string{"1.0.0", "02.0.0"}, "1.0.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := (&agentVersions{versions: c.versions}).fallback(); got != c.want {
				t.Errorf("fallback(%q) = %q, want %q", c.versions, got, c.want)
			}
		})
	}
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	var a agents
	agent := AgentFunc(func(context.Context, *Task) error { return nil })
	for _, ref := range []string{"a", "b@1.0.0", "b@2.0.0"} {
		if err := a.add(ref, agent); err != nil {
			t.Fatal(err)
		}
	}
	for _, ref := range []string{"a@1.0.0", "b@2.0.0", "", "@1", "A", "a@", "a b", "a@1@2"} {
		if err := a.add(ref, agent); err == nil {
			t.Errorf("add(%q) succeeded", ref)
		}
	}
	if err := a.setDefault("b", "1.0.0"); err != nil {
		t.Fatal(err)
	}
	if err := a.setDefault("b", "3"); err == nil {
		t.Error("setDefault of a version that is not there succeeded")
	}
	if _, name, err := a.resolve("b"); err != nil || name != "b@1.0.0" {
		t.Errorf("resolve(b) = %q, %v, want b@1.0.0", name, err)
	}
	list := a.inventory()
	if len(list) != 2 || list[1].Name != "b" || list[1].Default != "1.0.0" || !slices.Equal(list[1].Versions, []string{"1.0.0", "2.0.0"}) {
		t.Errorf("inventory = %+v", list)
	}
}
