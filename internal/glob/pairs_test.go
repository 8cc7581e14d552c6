package glob

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

var pairs = flag.Int("pairs", 40_000, "how many pairs of patterns to hold inclusion against enumeration for")

// tally counts what TestPairs has seen: pairs of one child and one to three parents.
type tally struct {
	pairs    atomic.Int64
	covered  atomic.Int64 // inclusion was proved
	wrong    atomic.Int64 // though a target of the enumeration is matched by the child only
	refused  atomic.Int64 // it was not
	unseen   atomic.Int64 // of which the enumeration has no counterexample
	needless atomic.Int64 // of which the counterexample of the proof is none either
}

var total tally

func TestMain(m *testing.M) {
	code := m.Run()
	verdict := "ok"
	if code != 0 {
		verdict = "failed"
	}
	if n := total.pairs.Load(); n > 0 {
		fmt.Printf("lease: refused=%d, with no counterexample of up to %d characters %d, with none at all %d\n",
			total.refused.Load(), maxEnumerated, total.unseen.Load(), total.needless.Load())
		fmt.Printf("lease: %s pairs=%d covered=%d wrong=%d\n", verdict, n, total.covered.Load(), total.wrong.Load())
	}
	os.Exit(code)
}

// TestPairs draws patterns and holds inclusion against the enumeration of all short targets, which it proves nothing
// against, and the counterexamples of refusals against the naive matcher: then no refusal is needless. guards E1, T18
func TestPairs(t *testing.T) {
	t.Parallel()
	const round = 20_000
	worlds := []*world{newWorld(Path), newWorld(URL)}
	var next atomic.Int64
	for i := range runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprint("worker ", i), func(t *testing.T) {
			t.Parallel()
			for n := next.Add(1) - 1; int(n)*round < *pairs && !t.Failed(); n = next.Add(1) - 1 {
				seed := rand.New(rand.NewPCG(uint64(n), 5))
				worlds[n%2].draw(t, seed, min(round, *pairs-int(n)*round))
			}
		})
	}
}

// sample is a pattern with the enumerated targets that it matches, as a set of bits.
type sample struct {
	text    string
	pattern Pattern
	matched []uint64
	from    int // the index of the sample that it was made from
}

// draw holds n pairs out of a pool of patterns. Every other child is paired with what it was made from: pairs drawn blindly
// are seldom covered.
func (w *world) draw(t *testing.T, r *rand.Rand, n int) {
	pool := make([]sample, 400)
	for i := range pool {
		text := w.random(r)
		if i%2 == 1 {
			pool[i].from = r.IntN(i)
			text = w.narrow(r, pool[pool[i].from].text)
		}
		pool[i].fill(t, w, text)
	}
	for range n {
		child := r.IntN(len(pool))
		parents := []sample{pool[r.IntN(len(pool))]}
		if r.IntN(2) == 0 {
			parents[0] = pool[pool[child].from]
		}
		for range r.IntN(3) * r.IntN(2) {
			parents = append(parents, pool[r.IntN(len(pool))])
		}
		judge(t, parents, pool[child])
	}
}

func (s *sample) fill(t *testing.T, w *world, text string) {
	p, err := Compile(w.kind, text)
	if err != nil {
		t.Fatalf("Compile(%q) = %v, and the test draws good patterns only", text, err)
	}
	s.text, s.pattern, s.matched = text, p, make([]uint64, len(w.targets)/64+1)
	written := w.split(text)
	for i, target := range w.targets {
		if naive(written.host, target.host) && naive(written.path, target.path) {
			s.matched[i/64] |= 1 << (i % 64)
		}
	}
}

func judge(t *testing.T, parents []sample, child sample) {
	patterns := make([]Pattern, len(parents))
	missed := false // by the enumeration
	for i, p := range parents {
		patterns[i] = p.pattern
	}
	for word, bits := range child.matched {
		for _, p := range parents {
			bits &^= p.matched[word]
		}
		missed = missed || bits != 0
	}
	left := Effort(1 << 20)
	target, included := Join(child.pattern.kind, patterns).counterexample(child.pattern, &left)
	total.pairs.Add(1)
	switch {
	case included && missed:
		total.wrong.Add(1)
		t.Errorf("%q is said to be within %v and is not", child.text, names(parents))
	case included:
		total.covered.Add(1)
	default:
		total.refused.Add(1)
		if !missed {
			total.unseen.Add(1)
		}
		if left < 0 || !refutes(patterns, child.pattern, target) {
			total.needless.Add(1)
			t.Errorf("%q is refused within %v for %q, which proves nothing", child.text, names(parents), target)
		}
	}
}

// refutes says whether child matches a target, given in segments, and parents do not.
func refutes(parents []Pattern, child Pattern, target string) bool {
	target = strings.ReplaceAll(target, string([]byte{fresh}), "z")
	if t, err := Parse(child.kind, written(child.kind, target)); err != nil || t.text != target {
		return false
	}
	words := strings.Split(target, "/")
	for _, p := range parents {
		if naive(strings.Split(p.text, "/"), words) {
			return false
		}
	}
	return naive(strings.Split(child.text, "/"), words)
}

// written is the target that has these segments.
func written(k Kind, segments string) string {
	host, rest, _ := strings.Cut(segments, "/"+string(mark))
	_, path, _ := strings.Cut(rest, "/")
	switch {
	case k == URL:
		return scheme + strings.ReplaceAll(host, "/", ".") + "/" + path
	case segments == "":
		return "/"
	default:
		return segments
	}
}

func names(samples []sample) (texts []string) {
	for _, s := range samples {
		texts = append(texts, s.text)
	}
	return texts
}
