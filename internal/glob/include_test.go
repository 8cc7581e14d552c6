package glob

import (
	"strings"
	"testing"
)

// What patterns say is compared, not how they are written. guards E1
func TestIncludes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind    Kind
		parents string // parted by spaces
		child   string
		want    bool
	}{
		{Path, "/a/*", "/a/**", false},
		{Path, "/a/**", "/a/*", true},
		{Path, "*", "**", false},
		{Path, "/a/*", "/a/**b", false}, // which is no pattern
		{Path, "a*c", "a*b*c", true},
		{Path, "a*b*c", "a*c", false},
		{Path, "/w/**", "/w", true},
		{Path, "/w/**", "/w-private/**", false},
		{Path, "/w/** /x/**", "/x/a", true},
		{Path, "/w /w/*/**", "/w/**", true}, // which takes both
		{Path, "/w /w/* /w/*/*", "/w/**", false},
		{Path, "/a*/** /*b/**", "/a*b/**", true},
		{Path, "/**/a/**", "/x/a/y/a", true},
		{Path, "/**", "**", false},
		{Path, "**", "/**", true},
		{Path, "/ /*/**", "/**", true},
		{Path, "", "/w", false},
		{Name, "search.*", "search.web", true},
		{Name, "search.*", "search*", false},
		{Name, "**/*", "**", true},
		{URL, "https://*.example.com/**", "https://a.example.com/**", true},
		{URL, "https://*.example.com/**", "https://**.example.com/**", false},
		{URL, "https://**.example.com/**", "https://*.a.example.com/x/*", true},
		{URL, "https://**.example.com/**", "https://example.com/**", false},
		{URL, "https://a.example.com/**", "https://a.example.com:8443/**", false},
		{URL, "https://a.example.com/**", "https://a.example.com:443/**", true},
		{URL, "https://a.example.com/**", "http://a.example.com/**", false},
		{URL, "https://**/**", "https://127.0.0.1/**", false},
		{URL, "https://**/**", "https://a.b.c/", true},
		{URL, "https://*/v1/**", "https://*/**", false},
		{URL, "https://h/d https://h/d/ https://h/d/*/**", "https://h/d/**", true},
	} {
		var parents []Pattern
		for text := range strings.FieldsSeq(c.parents) {
			p, err := Compile(c.kind, text)
			if err != nil {
				t.Fatal(text, err)
			}
			parents = append(parents, p)
		}
		child, err := Compile(c.kind, c.child)
		left := Effort(1 << 20)
		if got := err == nil && Join(c.kind, parents).Includes(child, &left); got != c.want {
			t.Errorf("Includes(%s, %s) = %v, want %v", c.parents, c.child, got, c.want)
		}
	}
}

// A pattern says nothing of targets of another kind.
func TestIncludesKinds(t *testing.T) {
	t.Parallel()
	path, err := Compile(Path, "**")
	name, nameErr := Compile(Name, "a")
	if err != nil || nameErr != nil {
		t.Fatal(err, nameErr)
	}
	target, err := Parse(Name, "a")
	left := Effort(1 << 20)
	if err != nil || Join(Name, []Pattern{path, {}}).Includes(name, &left) || Join(Path, []Pattern{path}).Includes(name, &left) || path.Match(target) || (Pattern{}).Match(target) || name.Match(Target{}) {
		t.Error("a path pattern or none at all covers a name, or a pattern covers no target")
	}
}

// The worst that patterns within the caps can ask ends when the effort does, and is refused. guards E1, E6, T17
func TestIncludesBombs(t *testing.T) {
	t.Parallel()
	const effort = 1 << 20
	for _, c := range []struct{ parent, child string }{
		{strings.Repeat("**/a/", 60) + "b", strings.Repeat("**/*a*/", 60) + "*"},
		{strings.Repeat("*a", 500), strings.Repeat("*aa", 330)},
		{strings.Repeat("**/*/a/", 60) + "*a*b*", strings.Repeat("**/a/*/", 60) + "b*a"},
	} {
		parent, err := Compile(Path, c.parent)
		if err != nil {
			t.Fatal(err)
		}
		child, err := Compile(Path, c.child)
		if err != nil {
			t.Fatal(err)
		}
		left := Effort(effort)
		if Join(Path, []Pattern{parent}).Includes(child, &left) && left < 0 {
			t.Errorf("Includes(%.20q…, %.20q…) is true without a proof", c.parent, c.child)
		}
		if left < -effort/4 {
			t.Errorf("Includes(%.20q…, %.20q…) took %d steps more than it was given", c.parent, c.child, -left)
		}
	}
}

// What is said to be within is matched, whatever the patterns and the target. guards E1
func FuzzIncludes(f *testing.F) {
	f.Add(uint8(Path), "/w/**/a*", "/w/x/a*b", "/w/x/ab")
	f.Add(uint8(Name), "**/x", "x", "x")
	f.Add(uint8(URL), "https://**.e.com/**", "https://*.e.com/*", "https://a.e.com/b")
	f.Fuzz(func(t *testing.T, kind uint8, parent, child, target string) {
		k := Kind(kind % 3)
		p, err := Compile(k, parent)
		c, childErr := Compile(k, child)
		if err != nil || childErr != nil {
			return
		}
		left := Effort(1 << 16)
		included := Join(k, []Pattern{p}).Includes(c, &left)
		if parsed, err := Parse(k, target); err == nil && included && c.Match(parsed) && !p.Match(parsed) {
			t.Fatalf("%q is said to be within %q, and %q is not", child, parent, target)
		}
		if parent == child && !included && left > 0 {
			t.Fatalf("%q is not within itself", child)
		}
	})
}
