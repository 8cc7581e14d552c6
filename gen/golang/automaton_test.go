package golang

import (
	"math/rand/v2"
	"os"
	"regexp"
	"testing"

	"github.com/arcpkit/arcp/gen/spec"
)

// The table of each pattern of the spec, and of patterns with every construct, says what regexp says.
func TestAutomaton(t *testing.T) {
	t.Parallel()
	patterns := []string{`^$`, `^a*$`, `^(a|b)?c{2,3}$`, `^(ab|a)(c|bcd)$`, `^[x-z_]+$`, `^(a|ab)*b$`, `^\d{3}-\w+$`}
	p, err := spec.Load(os.DirFS("../.."), "spec")
	if err != nil {
		t.Fatal(err)
	}
	examples := []string{
		"", "a", "ab", "abcd", "cc", "ccc", "é", "\x80", "\n", "4bf92f3577b34da6a3ce929d0e0e4736",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "indexer@1.0.0", "USD", "123-a",
	}
	for _, s := range p.Scalars {
		if s.Rules.Pattern != "" {
			patterns = append(patterns, s.Rules.Pattern)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for _, pattern := range patterns {
		a, err := compile(pattern)
		if err != nil {
			t.Fatalf("compile(%s) = %v", pattern, err)
		}
		want := regexp.MustCompile(pattern)
		for range 3000 {
			s := mutate(r, examples[r.IntN(len(examples))])
			if got := a.matches(s); got != want.MatchString(s) {
				t.Fatalf("%s: matches(%q) = %v, regexp says %v", pattern, s, got, !got)
			}
		}
	}
}

func mutate(r *rand.Rand, s string) string {
	const alphabet = "abcdefx019ABZ._-@+ \n\x00\x7f\xc3"
	b := []byte(s)
	for range r.IntN(3) {
		c := alphabet[r.IntN(len(alphabet))]
		switch i := r.IntN(len(b) + 1); {
		case i == len(b):
			b = append(b, c)
		case r.IntN(2) == 0:
			b = append(b[:i], b[i+1:]...)
		default:
			b[i] = c
		}
	}
	return string(b)
}
