package glob

import (
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind            Kind
		pattern, target string
		want            bool
	}{
		{Path, "/w/**", "/w", true},
		{Path, "/w/**", "/w/a/b", true},
		{Path, "/w/**", "/w-private", false}, // guards E2
		{Path, "/w/*", "/w/a", true},
		{Path, "/w/*", "/w/a/b", false},
		{Path, "/w/*", "/w", false},
		{Path, "**/x", "x", true},
		{Path, "**/x", "/a/x", true},
		{Path, "**", "/etc/passwd", true},
		{Path, "/**", "/", true},
		{Path, "/", "/", true},
		{Path, "/", "/a", false},
		{Path, "*/etc", "/etc", false},
		{Path, "/a/*.go", "/a/b.go", true},
		{Path, "/a/*.go", "/a/.go", true},
		{Path, "/a/*.go", "/a/b.goo", false},
		{Path, "/a/**/b/*c", "/a/b/x/b/ccc", true},
		{Path, "/w/**", "/w/../etc", false}, // guards E3
		{Path, "/w/**", "/w//a", false},
		{Path, "/w/**", "/w/./a", false},
		{Path, "/w/**", "/w/a/", false},
		{Path, "/w/**", "/w/a\x00b", false},
		{Path, "/w/**", `/w/..\etc`, false},
		{Path, "/w/**", "/w/%2e%2e/etc", false},
		{Path, "/w/**", "/w/%252e/etc", false},
		{Path, "/w/**", "/w/..;/etc", false},
		{Path, "/w/**", "../w", false},
		{Path, "/w/**", "/w/e\u0301", false},
		{Path, "/w/**", "/w/\u00e9", true},
		{Path, "/w/..", "/w/..", false},
		{Path, "/w/a?", "/w/ab", false},
		{Name, "search.*", "search.web", true},
		{Name, "search.*", "searchx", false},
		{Name, "*", "a/b", false},
		{Name, "**", "a/b", true},
		{Name, "a*b*c", "axbxc", true},
		{Name, "a*b*c", "axbx", false},
		{Name, "*", "", false},
		{URL, "https://*.example.com/**", "https://a.example.com/x", true},
		{URL, "https://*.example.com/**", "https://a.b.example.com/x", false},
		{URL, "https://**.example.com/**", "https://a.b.example.com/x", true},
		{URL, "https://**.example.com/**", "https://example.com/x", false},
		{URL, "https://*.example.com/**", "https://evil.com/#.example.com/", false}, // guards E4
		{URL, "https://*.example.com/**", "https://evil.com/?.example.com/", false},
		{URL, "https://*.example.com/**", `https://evil.com\.example.com/`, false},
		{URL, "https://*.example.com/**", "https://a.example.com@evil.com/", false},
		{URL, "https://*.example.com/**", "https://u:p@a.example.com/", false},
		{URL, "https://*.example.com/**", "https://a.example.com:8443/", false},
		{URL, "https://a.example.com:443/**", "https://A.Example.COM./x?q=1", true},
		{URL, "https://a.example.com/v1/*", "https://a.example.com/v1/x", true},
		{URL, "https://a.example.com/v1/*", "https://a.example.com/v1/x%2fy", false},
		{URL, "https://a.example.com/**", "http://a.example.com/", false},
		{URL, "https://a.example.com", "https://a.example.com/", true},
		{URL, "https://a.example.com/d/**", "https://a.example.com/d/", true},
		{URL, "http://*.0.0.1/**", "http://127.0.0.1/", false},
		{URL, "http://127.0.0.1/**", "http://127.0.0.1/x", true},
		{URL, "http://*/**", "http://2130706433/", false},
		{URL, "http://*/**", "http://localhost/", true},
		{URL, "https://*.example.com/**", "https://b\u00fccher.example.com/", false},
		{URL, "https://a.example.com/%2a", "https://a.example.com/x", false},
		{URL, "https://a*.example.com/", "https://ab.example.com/", false},
	} {
		if got := Match(c.kind, c.pattern, c.target); got != c.want {
			t.Errorf("Match(%d, %q, %q) = %v, want %v", c.kind, c.pattern, c.target, got, c.want)
		}
	}
}

func TestCompile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind          Kind
		pattern, want string // a part of the error; empty for none
	}{
		{Name, "a*", ""},
		{Name, "", "empty"},
		{Name, "a?", "'?'"},
		{Name, "{a,b}", "'{'"},
		{URL, "http://[::1]/**", "'['"},
		{Name, "a**b", "part of a segment"},
		{Path, "/a/../**", "dot segment"},
		{Path, "/a//b", "empty segment"},
		{Path, strings.Repeat("a", MaxPattern+1), "longer"},
		{Path, strings.Repeat("**/", MaxStars+1) + "x", "more than"},
		{Path, "/a\x1b[31m", "control"},
		{Path, "/\xff", "UTF-8"},
		{URL, "example.com/**", "absolute"},
		{URL, "https://*x.example.com/", "part of a host label"},
		{URL, "https://example.com:*/", "not a URL"},
		{URL, "https://example.com/**", ""},
	} {
		_, err := Compile(c.kind, c.pattern)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("Compile(%d, %.40q) = %v, want an error with %q", c.kind, c.pattern, err, c.want)
		}
	}
}

// A matcher that backtracks does not come back from these. guards E6, T17
func TestMatchBombs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pattern, target string }{
		{"/" + strings.Repeat("**/a/", 50) + "b", "/" + strings.Repeat("a/", MaxTarget/2-1) + "a"},
		{strings.Repeat("*a", 500) + "b", strings.Repeat("a", MaxTarget)},
		{strings.Repeat("**/*a*a*a/", 60) + "b", strings.Repeat("aaaa/", 800) + "a"},
	} {
		p, err := Compile(Path, c.pattern)
		if err != nil {
			t.Errorf("Compile(%.20q…) = %v", c.pattern, err)
		}
		target, err := Parse(Path, c.target)
		if err != nil {
			t.Errorf("Parse(%.20q…) = %v", c.target, err)
		}
		var m matcher
		if m.match(p.text, target.text) {
			t.Errorf("Match(%.20q…) = true", c.pattern)
		}
		if most := len(c.pattern) * len(c.target); m.steps > most {
			t.Errorf("Match(%.20q…) took %d steps, want at most %d", c.pattern, m.steps, most)
		}
	}
}
