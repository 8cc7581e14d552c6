// Package glob decides whether a lease pattern covers a target, in time bounded by the product of their lengths.
//
// A pattern is made of segments parted by '/'. '*' stands for a run of characters inside one segment; "**" alone in a
// segment stands for any number of whole segments, none included: "/w/**" matches "/w", and "**/x" matches "x".
// The characters ? [ ] { } and \ are refused, so that no pattern means one thing here and another in a shell.
//
// Whatever is not canonical is refused, never repaired: a target that two programs may read in two ways matches nothing.
package glob

import (
	"errors"
	"fmt"
	"strings"
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

// Check says why pattern is not a valid pattern of the kind, or nil.
func Check(k Kind, pattern string) error {
	if err := checkText(pattern, MaxPattern); err != nil {
		return err
	}
	if i := strings.IndexAny(pattern, `?[]{}\`); i >= 0 {
		return fmt.Errorf("%q is not allowed in a pattern", pattern[i])
	}
	switch k {
	case Path:
		return checkPathPattern(pattern)
	case URL:
		_, err := parseURLPattern(pattern)
		return err
	default:
		return checkStars(pattern)
	}
}

// Target is a canonical target, ready to be matched against many patterns. The zero value matches nothing.
type Target struct {
	kind Kind
	text string
	url  *location
}

// Parse reads a target; it refuses one that is not canonical.
func Parse(k Kind, target string) (Target, error) {
	if err := checkText(target, MaxTarget); err != nil {
		return Target{}, err
	}
	t := Target{kind: k, text: target}
	switch k {
	case Path:
		if err := checkPath(target); err != nil {
			return Target{}, err
		}
		if target == "/" {
			t.text = ""
		}
		return t, nil
	case URL:
		u, err := parseURL(target)
		if err != nil {
			return Target{}, err
		}
		t.url = u
		return t, nil
	default:
		return t, nil
	}
}

// Match says whether pattern, one of the target's kind, covers t. A pattern that Check refuses covers nothing.
func (t Target) Match(pattern string) bool {
	if Check(t.kind, pattern) != nil {
		return false
	}
	switch {
	case t.url != nil:
		p, err := parseURLPattern(pattern)
		return err == nil && p.covers(t.url)
	case t.kind == Path:
		if pattern == "/" {
			return t.text == ""
		}
		return matchSegments(pattern, t.text)
	default:
		return t.text != "" && matchSegments(pattern, t.text)
	}
}

// Match parses target and says whether pattern covers it.
func Match(k Kind, pattern, target string) bool {
	t, err := Parse(k, target)
	return err == nil && t.Match(pattern)
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
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return errors.New("holds a control character")
		}
	}
	return nil
}

// checkStars refuses "**" that is not a whole segment, and too many of them.
func checkStars(pattern string) error {
	n := 0
	for seg := range strings.SplitSeq(pattern, "/") {
		if seg == "**" {
			n++
		} else if strings.Contains(seg, "**") {
			return errors.New(`"**" must be a whole segment`)
		}
	}
	if n > MaxStars {
		return fmt.Errorf(`holds more than %d "**"`, MaxStars)
	}
	return nil
}
