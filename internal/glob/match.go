package glob

import "strings"

// deep is the segment that stands for any number of segments.
const deep = "**"

// matcher counts the steps of a match, so that a test can hold them to the bound.
type matcher struct{ steps int }

// match matches the segments of pattern against those of text. On a mismatch it goes back to the last "**" only and lets
// it take one segment more; an earlier "**" never needs to, for whatever it could give up the later one takes. So each
// segment of the pattern meets each of the text at most once, and the whole stays within len(pattern) * len(text) steps.
func (m *matcher) match(pattern, text string) bool {
	p, t := cursor{rest: pattern}, cursor{rest: text}
	var star, mark cursor
	starred := false
	for !t.done {
		m.steps++
		switch {
		case !p.done && p.peek() == deep:
			p.next()
			star, mark, starred = p, t, true
		case !p.done && m.segment(p.peek(), t.peek()):
			p.next()
			t.next()
		case starred:
			mark.next()
			p, t = star, mark
		default:
			return false
		}
	}
	for !p.done && p.peek() == deep {
		p.next()
	}
	return p.done
}

// cursor walks the segments of a string; the empty string is one empty segment.
type cursor struct {
	rest string
	done bool
}

func (c *cursor) peek() string {
	seg, _, _ := strings.Cut(c.rest, "/")
	return seg
}

func (c *cursor) next() {
	_, rest, more := strings.Cut(c.rest, "/")
	c.rest, c.done = rest, !more
}

// segment matches one segment, in which '*' stands for any run. An empty segment, such as the one before the first '/' of
// an absolute path, is matched by an empty one only: "*/etc" does not cover "/etc".
func (m *matcher) segment(pattern, text string) bool {
	if text == "" {
		return pattern == ""
	}
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		m.steps++
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
