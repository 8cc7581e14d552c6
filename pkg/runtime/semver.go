package runtime

import (
	"cmp"
	"slices"
	"strings"
)

// semver is a version by the grammar of SemVer 2.0.0, ready to be compared. Build metadata has no say in that (10) and is
// not kept. Numbers stay text, so that none is too large.
type semver struct {
	core []string // major, minor, patch
	pre  []string // the identifiers of a pre-release; nil for a release
}

// parseSemver reads s, and says whether it is of the grammar.
func parseSemver(s string) (v semver, ok bool) {
	s, build, built := strings.Cut(s, "+")
	core, pre, isPre := strings.Cut(s, "-")
	v.core = strings.Split(core, ".")
	if len(v.core) != 3 || !all(v.core, isNumber) {
		return semver{}, false
	}
	if isPre {
		v.pre = strings.Split(pre, ".")
		if !all(v.pre, isPreRelease) {
			return semver{}, false
		}
	}
	return v, !built || all(strings.Split(build, "."), isIdentifier)
}

// compare orders by precedence (11): a release follows its pre-releases, and of two pre-releases with the same beginning the
// longer one follows.
func (v semver) compare(w semver) int {
	if c := slices.CompareFunc(v.core, w.core, compareIdentifiers); c != 0 {
		return c
	}
	if v.pre == nil || w.pre == nil {
		return cmp.Compare(len(w.pre), len(v.pre))
	}
	return slices.CompareFunc(v.pre, w.pre, compareIdentifiers)
}

// compareIdentifiers orders numbers by value and below words, words by their bytes.
func compareIdentifiers(a, b string) int {
	x, y := digits(a), digits(b)
	switch {
	case x && y:
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) // neither begins with a zero
	case x:
		return -1
	case y:
		return 1
	}
	return cmp.Compare(a, b)
}

// isNumber says whether s is a number as SemVer writes them: without leading zeros.
func isNumber(s string) bool { return digits(s) && (s == "0" || s[0] != '0') }

func isPreRelease(s string) bool { return isIdentifier(s) && (!digits(s) || isNumber(s)) }

func isIdentifier(s string) bool {
	return s != "" && all([]byte(s), func(c byte) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-'
	})
}

func digits(s string) bool {
	return s != "" && all([]byte(s), func(c byte) bool { return c >= '0' && c <= '9' })
}

func all[E any](s []E, ok func(E) bool) bool {
	return !slices.ContainsFunc(s, func(e E) bool { return !ok(e) })
}
