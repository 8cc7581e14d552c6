package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be what the harness starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{roleAgent, roleClient, roleServer}, os.Args[1]) {
		main()
	}
	os.Exit(m.Run())
}

// The short form of make crash: what was acknowledged before a SIGKILL is there after it.
//
// guards A14
// guards A19
func TestKills(t *testing.T) {
	t.Parallel()
	kills := "8"
	if testing.Short() {
		kills = "3"
	}
	status, last, all := play(t, "-kills", kills, "-sweep", "0", "-seed", "20261124")
	if status != exitOK || !strings.HasPrefix(last, "crash: ok kills="+kills+" ") || !strings.HasSuffix(last, " lost=0 doubled=0 reordered=0 dangling=0") {
		t.Errorf("status %d\n%s", status, all)
	}
}

// A server that dies at a commit, before it or after it, loses nothing and does nothing twice.
func TestSweep(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.sweep = 9
	if testing.Short() {
		p.sweep = 30
	}
	total := &tally{}
	if err := p.sweepCommits(t.Context(), total); err != nil {
		t.Fatal(err)
	}
	if !total.ok() || total.kills < 10 || total.events == 0 {
		t.Errorf("%v other=%d\n%s", total, total.other, strings.Join(total.texts, "\n"))
	}
}

// A server that dies at a commit while it mints, rotates or revokes leaves no key behind.
//
// guards H7
// guards H8
func TestMints(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.sweep = 3
	if testing.Short() {
		p.sweep = 9
	}
	total := &tally{}
	if err := p.sweepMints(t.Context(), total); err != nil {
		t.Fatal(err)
	}
	if !total.ok() || total.minted < total.kills/4 || total.kills < 6 {
		t.Errorf("%v minted=%d\n%v", total, total.minted, p.out)
	}
	p.leaves = true
	if _, err := p.mintOnce(t.Context(), death{kill: 1000}, total); err != nil || total.dangling == 0 {
		t.Errorf("a server that revokes nothing: dangling=%d, %v", total.dangling, err)
	}
}

// A server whose store says that it has committed what it has not is found out.
func TestLies(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.lies, p.wait = 4, 2*time.Second // what was lost is waited for
	total := &tally{}
	for n := 12; n < 30 && total.ok(); n += 3 {
		if _, err := p.sweepOnce(t.Context(), death{kill: n}, total); err != nil {
			t.Fatal(err)
		}
	}
	if total.lost+total.doubled+total.reordered == 0 {
		t.Errorf("a store that forgets four commits: %v other=%d, want something to be found", total, total.other)
	}
}

// play runs the harness as its user does.
func play(t *testing.T, args ...string) (status int, last, all string) {
	t.Helper()
	var out, errOut strings.Builder
	status = run(append([]string{"-dir", filepath.Join(t.TempDir(), "work")}, args...), nil, &out, &errOut)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return status, lines[len(lines)-1], errOut.String() + out.String()
}

func newPlan(t *testing.T) *plan {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &plan{self: self, dir: t.TempDir(), wait: patience, out: &strings.Builder{}}
}
