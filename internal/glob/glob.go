// Package glob decides what a lease pattern covers, and whether one pattern covers all that another does, in bounded time.
//
// A pattern is made of segments parted by '/'. '*' stands for a run of characters inside one segment; "**" alone in a
// segment stands for any number of whole segments, none included: "/w/**" matches "/w", and "**/x" matches "x".
// The characters ? [ ] { } and \ are refused, so that no pattern means one thing here and another in a shell.
//
// Whatever is not canonical is refused, never repaired: a target that two programs may read in two ways matches nothing.
//
// Names, paths and URLs are all brought to one form, segments parted by '/' (of a URL: host labels, a mark with scheme and
// port, path), so that there is one matcher and one proof of inclusion.
package glob

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Caps on what is looked at; longer patterns and targets are refused.
const (
	MaxPattern = 1024 // bytes of a pattern
	MaxTarget  = 4096 // bytes of a target
	MaxStars   = 64   // "**" segments of a pattern
)

// Kind says how targets are read.
type Kind uint8

// The kinds of targets.
const (
	Name Kind = iota // the name of a tool, an agent, a model; '/' may part it
	Path             // a file path with '/' between segments
	URL              // an absolute URL: scheme, host labels, port and path are matched each for itself
)

// Pattern is a pattern that was checked. The zero value matches nothing.
type Pattern struct {
	kind  Kind
	text  string // in segments
	valid bool
}

// Compile reads a pattern; the error says why it is none.
func Compile(k Kind, pattern string) (Pattern, error) {
	if err := checkText(pattern, MaxPattern); err != nil {
		return Pattern{}, err
	}
	if i := strings.IndexAny(pattern, `?[]{}\`); i >= 0 {
		return Pattern{}, fmt.Errorf("holds %q, which is not allowed in a pattern", pattern[i])
	}
	text, err := segments(k, pattern, parseURLPattern)
	if err == nil {
		err = checkStars(text)
	}
	if err != nil {
		return Pattern{}, err
	}
	return Pattern{kind: k, text: text, valid: true}, nil
}

// Target is a canonical target, ready to be matched against many patterns. The zero value is matched by nothing.
type Target struct {
	kind  Kind
	text  string // in segments
	valid bool
}

// Parse reads a target; it refuses one that is not canonical.
func Parse(k Kind, target string) (Target, error) {
	if err := checkText(target, MaxTarget); err != nil {
		return Target{}, err
	}
	text, err := segments(k, target, parseURL)
	if err != nil {
		return Target{}, err
	}
	return Target{kind: k, text: text, valid: true}, nil
}

// Match says whether the pattern, one of the target's kind, covers t.
func (p Pattern) Match(t Target) bool {
	if !p.valid || !t.valid || p.kind != t.kind {
		return false
	}
	var m matcher
	return m.match(p.text, t.text)
}

// Match compiles pattern, parses target and says whether the one covers the other.
func Match(k Kind, pattern, target string) bool {
	p, err := Compile(k, pattern)
	if err != nil {
		return false
	}
	t, err := Parse(k, target)
	return err == nil && p.Match(t)
}

// segments brings a canonical name, path or URL to the form that is matched.
func segments(k Kind, s string, readURL func(string) (*location, error)) (string, error) {
	if k == URL {
		u, err := readURL(s)
		if err != nil {
			return "", err
		}
		return u.segments(), nil
	}
	if k == Path && s == "/" {
		return "", nil // the root, one empty segment
	}
	return s, checkPath(k, s)
}

func checkText(s string, limit int) error {
	switch {
	case s == "":
		return errors.New("is empty")
	case len(s) > limit:
		return fmt.Errorf("is longer than %d bytes", limit)
	case !utf8.ValidString(s):
		return errors.New("is not valid UTF-8")
	}
	for _, r := range s {
		if (r < ' ' || r > '~') && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return errors.New("holds a control or invisible character")
		}
	}
	return nil
}

// checkStars refuses "**" that is not a whole segment, and too many of them.
func checkStars(pattern string) error {
	all := strings.Split(pattern, "/")
	if slices.ContainsFunc(all, func(seg string) bool { return seg != deep && strings.Contains(seg, deep) }) {
		return errors.New(`holds "**" as a part of a segment`)
	}
	if strings.Count(pattern, deep) > MaxStars {
		return fmt.Errorf(`holds more than %d "**"`, MaxStars)
	}
	return nil
}
