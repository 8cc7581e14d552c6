package sim

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

var (
	seeds  = flag.Int("seeds", 200, "how many seeds to run, from -first on")
	first  = flag.Uint64("first", 1, "the first seed")
	one    = flag.Uint64("seed", 0, "run this seed only, and show more of it")
	worlds = flag.String("world", "", "the kind of every world: one, nodes or restart; empty is as the seed says")
	repeat = flag.Int("repeat", 1, "how often to run each seed")
)

// tally counts over all seeds.
type tally struct {
	ran, events, violations, ended atomic.Int64 // ended: runtimes that were killed, lost, left or stopped before their clients had enough
	census                         census
}

var total tally

func TestMain(m *testing.M) {
	code := m.Run()
	verdict := "ok"
	if code != 0 {
		verdict = "failed"
	}
	if n := total.ran.Load(); n > 0 {
		fmt.Printf("sim: in the first %d seeds: %s\n", censusSeeds, &total.census)
		fmt.Printf("sim: %s seeds=%d events=%d violations=%d runtimes_ended=%d\n",
			verdict, n, total.events.Load(), total.violations.Load(), total.ended.Load())
	}
	os.Exit(code)
}

// TestSeeds runs the simulation, as many seeds at a time as there are processors. guards A1, A2, A4, A9, A10, A13, A14, A19, B1, B3, B6, B7
func TestSeeds(t *testing.T) {
	from, n := *first, uint64(max(*seeds, 0))
	if *one != 0 {
		from, n = *one, 1
	}
	t.Cleanup(func() {
		if none := total.census.missing(); n >= censusSeeds && *worlds == "" && !t.Failed() && len(none) > 0 {
			t.Errorf("%d seeds have not seen: %v", n, none)
		}
	})
	var next atomic.Uint64
	for i := range runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprint("worker ", i), func(t *testing.T) {
			t.Parallel()
			for !t.Failed() {
				k := next.Add(1) - 1
				if k >= n*uint64(*repeat) {
					return
				}
				seed := from + k/uint64(*repeat)
				synctest.Test(t, func(t *testing.T) { simulate(t, seed) })
				total.ran.Add(1)
			}
		})
	}
}
