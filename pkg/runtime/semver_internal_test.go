package runtime

import (
	"slices"
	"strings"
	"testing"
)

// The examples of SemVer 2.0.0, and what its grammar refuses.
func TestParseSemver(t *testing.T) {
	t.Parallel()
	const good = `0.0.0 1.9.0 1.10.0 1.0.0-alpha 1.0.0-alpha.1 1.0.0-0.3.7 1.0.0-x.7.z.92 1.0.0-x-y-z.--
		1.0.0-alpha+001 1.0.0+20130313144700 1.0.0-beta+exp.sha.5114f85 1.0.0+21AF26D3---117B344092BD
		99999999999999999999999.999999999999999999.99999999999999999 1.0.0-0A.is.legal 1.0.0+a-b.01`
	const bad = `1 1.0 1.0.0.0 01.0.0 1.02.0 1.0.03 -1.0.0 1..0 a.b.c v1.0.0 1.0.0- 1.0.0-01 1.0.0-a..b 1.0.0-a.
		1.0.0+ 1.0.0-+b 1.0.0+a+b 1.0.0+a..b 1.0.0-a_b 1.0.0+a_b 1.0.0-é +1.0.0 1.0.0x`
	for _, c := range []struct {
		versions string
		want     bool
	}{{good, true}, {bad, false}} {
		for s := range strings.FieldsSeq(c.versions) {
			if _, got := parseSemver(s); got != c.want {
				t.Errorf("parseSemver(%q) = %v, want %v", s, got, c.want)
			}
		}
	}
	if _, ok := parseSemver(""); ok {
		t.Error(`parseSemver("") succeeded`)
	}
}

// The order of SemVer 2.0.0, 11, with its own examples, and with numbers beyond any integer.
func TestCompareSemver(t *testing.T) {
	t.Parallel()
	ascending := strings.Fields(`0.9.9 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11
		1.0.0-beta.18446744073709551616 1.0.0-beta.99999999999999999999 1.0.0-rc.1 1.0.0 1.9.0 1.10.0 2.0.0 2.1.0 2.1.1
		18446744073709551615.0.0 18446744073709551616.0.0 100000000000000000000.0.0`)
	for i, a := range ascending {
		for j, b := range ascending {
			v, ok := parseSemver(a)
			w, ok2 := parseSemver(b + "+build." + a)
			if !ok || !ok2 {
				t.Fatalf("%s or %s is refused", a, b)
			}
			want := min(max(i-j, -1), 1)
			if got := v.compare(w); got != want {
				t.Errorf("%s compared with %s = %d, want %d", a, b, got, want)
			}
		}
	}
	if !slices.IsSortedFunc([]string{"9", "10", "A", "a"}, compareIdentifiers) {
		t.Error("identifiers do not come in the order number, capital, small")
	}
}
