// Package term shows what others wrote to a person: nothing that reaches a terminal through it can move its cursor, change
// its colours or forge a line of ours.
package term

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s as one line: every character that a terminal acts on, newlines and tabs too, is shown as an escape.
func Line(s string) string {
	if strings.IndexFunc(s, acted) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		appendShown(&b, r)
	}
	return b.String()
}

// Block returns s with its lines kept; each after the first begins with indent, so that none looks like a line of ours.
func Block(s, indent string) string {
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n"), "\n")
	for i := range lines {
		lines[i] = Line(strings.ReplaceAll(lines[i], "\t", "    "))
	}
	return strings.Join(lines, "\n"+indent)
}

func appendShown(b *strings.Builder, r rune) {
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case !acted(r):
		b.WriteRune(r)
	case r < 0x100:
		fmt.Fprintf(b, `\x%02x`, r)
	default:
		fmt.Fprintf(b, `\u%04x`, r)
	}
}

// acted says whether a terminal may do anything but draw r: controls of both sets, line and paragraph separators, and
// the format characters that reorder text.
func acted(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\u200e' || r == '\u200f' ||
		r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\ufeff'
}

// Writer returns a writer to w that shows text as Line does, but lets newlines and tabs through. Runes may be split over
// calls. It is for one goroutine.
func Writer(w io.Writer) io.Writer { return &writer{w: w} }

type writer struct {
	w    io.Writer
	rest []byte // the beginning of a rune
}

func (c *writer) Write(p []byte) (int, error) {
	text := append(c.rest, p...)
	var b strings.Builder
	for len(text) > 0 && utf8.FullRune(text) {
		r, n := utf8.DecodeRune(text)
		if r == '\n' || r == '\t' {
			b.WriteRune(r)
		} else {
			appendShown(&b, r)
		}
		text = text[n:]
	}
	c.rest = append([]byte(nil), text...)
	if _, err := io.WriteString(c.w, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}
