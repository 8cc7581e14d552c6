package glob

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What the corpus of tricks is asked of.
var granted = map[string]struct {
	kind    Kind
	pattern string
}{
	"path": {Path, "/w/**"},
	"url":  {URL, "https://*.example.com/w/**"},
}

// TestTricks holds every trick of the corpus against what must become of it. What is inside is read again by the packages
// that open and fetch, and they must find it inside, too. guards E2, E3, E4
func TestTricks(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "lease", "tricks.txt"))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		kind, rest, _ := strings.Cut(line, " ")
		quoted, err := strconv.QuotedPrefix(rest)
		target, unquoteErr := strconv.Unquote(quoted)
		if err != nil || unquoteErr != nil || seen[kind+quoted] {
			t.Fatalf("%s: not a line of the corpus, or there twice", line)
		}
		seen[kind+quoted] = true
		if got, want := outcome(kind, target), strings.TrimSpace(rest[len(quoted):]); !agrees(got, want) {
			t.Errorf("%s %s is %q, want %q", kind, quoted, got, want)
		}
	}
	if len(seen) < 240 {
		t.Errorf("the corpus has %d tricks, and had more", len(seen))
	}
}

// outcome says what becomes of a target, as the corpus says it.
func outcome(kind, target string) string {
	g := granted[kind]
	parsed, err := Parse(g.kind, target)
	p, patternErr := Compile(g.kind, g.pattern)
	switch {
	case patternErr != nil:
		return patternErr.Error()
	case err != nil:
		return "refused: " + err.Error()
	case !p.Match(parsed):
		return "outside"
	case kind == "path" && (path.Clean(target) != target || !under(target)):
		return "matched, and is " + path.Clean(target)
	case kind == "url" && !fetched(target):
		return "matched, and is fetched from elsewhere"
	}
	return "inside"
}

func agrees(got, want string) bool {
	reason, refused := strings.CutPrefix(want, "refused: ")
	return got == want || refused && reason != "" && strings.HasPrefix(got, "refused: ") && strings.Contains(got, reason)
}

func under(clean string) bool { return clean == "/w" || strings.HasPrefix(clean, "/w/") }

func fetched(target string) bool {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Fragment != "" || u.Port() != "" && u.Port() != "443" {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	label, ok := strings.CutSuffix(host, ".example.com")
	return ok && label != "" && !strings.Contains(label, ".") && under(path.Clean(u.Path))
}
