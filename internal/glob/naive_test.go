package glob

import (
	"path"
	"strings"
	"testing"
)

// naive matches with full backtracking, straight from the definition.
func naive(pattern, text []string) bool {
	if len(pattern) == 0 {
		return len(text) == 0
	}
	if pattern[0] == "**" {
		for i := range len(text) + 1 {
			if naive(pattern[1:], text[i:]) {
				return true
			}
		}
		return false
	}
	return len(text) > 0 && naiveWhole(pattern[0], text[0]) && naive(pattern[1:], text[1:])
}

func naiveWhole(pattern, text string) bool {
	if text == "" {
		return pattern == ""
	}
	return naiveSegment(pattern, text)
}

func naiveSegment(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return naiveSegment(pattern[1:], text) || text != "" && naiveSegment(pattern, text[1:])
	default:
		return text != "" && text[0] == pattern[0] && naiveSegment(pattern[1:], text[1:])
	}
}

// Matching is what the definition says it is, and what is matched is its own only spelling. guards E3
func FuzzMatch(f *testing.F) {
	f.Add("/w/**/a*b", "/w/x/ab")
	f.Add("**/x", "x")
	f.Add("/**/a/**", "/a")
	f.Add("/", "/")
	f.Fuzz(func(t *testing.T, pattern, target string) {
		p, err := Compile(Path, pattern)
		if err != nil || len(pattern) > 16 || len(target) > 24 {
			return
		}
		parsed, err := Parse(Path, target)
		if err != nil {
			return
		}
		if path.Clean(target) != target {
			t.Fatalf("Parse(%q) takes what is not canonical", target)
		}
		want := naive(strings.Split(p.text, "/"), strings.Split(parsed.text, "/"))
		if got := p.Match(parsed); got != want {
			t.Fatalf("Match(%q, %q) = %v, want %v", pattern, target, got, want)
		}
	})
}
