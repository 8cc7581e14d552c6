package glob

import "strings"

// matchSegments matches the segments of pattern against those of text. On a mismatch it goes back to the last "**" only
// and lets it take one segment more; an earlier "**" never needs to, for whatever it could give up the later one takes.
// So each pair of pattern and text bytes is compared at most once for each restart, and the whole stays within
// len(pattern) * len(text) steps.
func matchSegments(pattern, text string) bool {
	p, t := cursor{rest: pattern}, cursor{rest: text}
	var star, mark cursor
	starred := false
	for !t.done {
		seg, ok := p.peek()
		switch {
		case ok && seg == "**":
			p.next()
			star, mark, starred = p, t, true
		case ok && matchSegment(seg, t.mustPeek()):
			p.next()
			t.next()
		case starred:
			mark.next()
			p, t = star, mark
		default:
			return false
		}
	}
	for seg, ok := p.peek(); ok; seg, ok = p.peek() {
		if seg != "**" {
			return false
		}
		p.next()
	}
	return true
}

// cursor walks the segments of a string; the empty string is one empty segment.
type cursor struct {
	rest string
	done bool
}

func (c *cursor) peek() (string, bool) {
	if c.done {
		return "", false
	}
	return c.mustPeek(), true
}

func (c *cursor) mustPeek() string {
	seg, _, _ := strings.Cut(c.rest, "/")
	return seg
}

func (c *cursor) next() {
	_, rest, more := strings.Cut(c.rest, "/")
	c.rest, c.done = rest, !more
}

// matchSegment matches one segment, in which '*' stands for any run. An empty segment, such as the one before the first
// '/' of an absolute path, is matched by an empty one only: "*/etc" does not cover "/etc".
func matchSegment(pattern, text string) bool {
	if text == "" {
		return pattern == ""
	}
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
