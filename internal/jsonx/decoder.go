package jsonx

import (
	"unicode/utf8"
	"unsafe"
)

// Decoder is a cursor over one frame. The zero value reads the empty frame; Reset gives it another. It is not safe for
// concurrent use.
//
// Strings and raw values it returns alias the frame: the caller must not change the frame while any of them is in use.
//
// A syntax error ends the reading: it is kept, the cursor moves to the end, and every later call returns a zero value
// at once, so that callers check once, with Failed, when they are done. A value of the wrong type is noted and stepped
// over, so that one pass finds them all.
type Decoder struct {
	buf []byte
	// Invariant: pos is just behind the last token read, never behind whitespace: buf[pos-1] tells the first member or
	// element of a container ('{' or '[') from a later one.
	pos     int
	depth   int
	keyPos  int
	broken  bool
	unknown []unknownKeys
	errs    []Error
}

// Mark is a place in a frame to return to with Restore.
type Mark struct{ pos, depth int }

// Reset starts reading frame, which the decoder aliases. Invalid UTF-8 anywhere in it is the first error.
func (d *Decoder) Reset(frame []byte) {
	d.buf, d.pos, d.depth, d.keyPos, d.broken = frame, 0, 0, 0, false
	d.unknown, d.errs = d.unknown[:0], d.errs[:0]
	if !utf8.Valid(frame) {
		d.fail(firstInvalid(frame), "invalid UTF-8")
	}
}

// Save returns the cursor's place.
func (d *Decoder) Save() Mark { return Mark{d.pos, d.depth} }

// Offset returns the mark's distance from the start of the frame, in bytes.
func (m Mark) Offset() int { return m.pos }

// Restore moves the cursor back to a place taken with Save on the same frame. After a syntax error it does nothing.
func (d *Decoder) Restore(m Mark) {
	if !d.broken {
		d.pos, d.depth = m.pos, m.depth
	}
}

// End reports an error unless only whitespace is left.
func (d *Decoder) End() {
	if d.skipSpace(); d.pos < len(d.buf) {
		d.fail(d.pos, "text after the end of the value")
	}
}

// Peek returns the first byte of the next value without reading it, 0 at the end of the frame.
func (d *Decoder) Peek() byte {
	p := spaceEnd(d.buf, d.pos)
	if p >= len(d.buf) {
		return 0
	}
	return d.buf[p]
}

func (d *Decoder) skipSpace() { d.pos = spaceEnd(d.buf, d.pos) }

// enter counts one level of nesting opened at p.
func (d *Decoder) enter(p int) bool {
	d.depth++
	if d.depth > MaxDepth {
		d.fail(p, "nesting deeper than 64 levels")
		return false
	}
	return true
}

// alias returns buf[i:j] as a string that shares its bytes.
func (d *Decoder) alias(i, j int) string { return view(d.buf[i:j]) }

// view returns a string that shares the bytes of b, so that a decoded message costs no copy for each of its strings. It is
// sound because nobody writes to b again: the frame by the Decoder's contract, unescaped text because nobody else has it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func spaceEnd(buf []byte, p int) int {
	for p < len(buf) && isSpace(buf[p]) {
		p++
	}
	return p
}

func isSpace(c byte) bool { return c <= ' ' && (c == ' ' || c == '\n' || c == '\t' || c == '\r') }

func firstInvalid(b []byte) int {
	i := 0
	for i < len(b) {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		i += n
	}
	return i
}
