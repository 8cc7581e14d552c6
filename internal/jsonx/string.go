package jsonx

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stops marks, in the high bit of each byte, the bytes of w that end a plain run: '"', '\\' and controls. Bits above the
// lowest marked byte may be wrong (the subtraction borrows), the lowest never is: only a byte that is marked borrows.
func stops(w uint64) uint64 {
	q := w ^ ones*'"'
	b := w ^ ones*'\\'
	return ((q - ones) | (b - ones) | (w - ones*0x20)) &^ w & highs
}

// plainEnd returns the index of the first stop at or behind p, len(buf) if there is none.
func plainEnd(buf []byte, p int) int {
	for p+16 <= len(buf) {
		w := buf[p : p+16]
		if m := stops(binary.LittleEndian.Uint64(w)); m != 0 {
			return p + bits.TrailingZeros64(m)>>3
		}
		if m := stops(binary.LittleEndian.Uint64(w[8:])); m != 0 {
			return p + 8 + bits.TrailingZeros64(m)>>3
		}
		p += 16
	}
	if p+8 <= len(buf) {
		if m := stops(binary.LittleEndian.Uint64(buf[p:])); m != 0 {
			return p + bits.TrailingZeros64(m)>>3
		}
		p += 8
	}
	for p < len(buf) && buf[p] >= 0x20 && buf[p] != '"' && buf[p] != '\\' {
		p++
	}
	return p
}

// String reads a string. The result aliases the frame unless the text has escapes.
func (d *Decoder) String() string {
	p := d.pos
	if p >= len(d.buf) || d.buf[p] != '"' {
		if p = spaceEnd(d.buf, p); p >= len(d.buf) || d.buf[p] != '"' {
			d.mismatch("a string")
			return ""
		}
	}
	p++
	end := plainEnd(d.buf, p)
	if end < len(d.buf) && d.buf[end] == '"' {
		d.pos = end + 1
		return d.alias(p, end)
	}
	end, escaped := d.scanString(p)
	if end < 0 {
		return ""
	}
	d.pos = end + 1
	return d.text(p, end, escaped)
}

// scanString checks a string from p, just behind its opening quote, and returns the index of its closing quote, or -1
// after an error.
func (d *Decoder) scanString(p int) (end int, escaped bool) {
	for {
		p = plainEnd(d.buf, p)
		switch {
		case p >= len(d.buf):
			return d.fail(p, "string without end"), false
		case d.buf[p] == '"':
			return p, escaped
		case d.buf[p] != '\\':
			return d.fail(p, "control character in a string"), false
		}
		escaped = true
		if p = d.scanEscape(p); p < 0 {
			return -1, false
		}
	}
}

// scanEscape checks the escape at p, a surrogate pair as one, and returns the index behind it, or -1 after an error.
func (d *Decoder) scanEscape(p int) int {
	if p+1 >= len(d.buf) {
		return d.fail(p, "string without end")
	}
	switch d.buf[p+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return p + 2
	case 'u':
	default:
		return d.fail(p, "unknown escape in a string")
	}
	r, ok := hex4(d.buf, p+2)
	if !ok {
		return d.fail(p, "\\u without four hexadecimal digits")
	}
	if !utf16.IsSurrogate(r) {
		return p + 6
	}
	if p+7 < len(d.buf) && d.buf[p+6] == '\\' && d.buf[p+7] == 'u' {
		if low, ok := hex4(d.buf, p+8); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			return p + 12
		}
	}
	return d.fail(p, "lone surrogate in a string")
}

// text returns the checked string text buf[i:j], aliased, or unescaped into an allocation of its own.
func (d *Decoder) text(i, j int, escaped bool) string {
	if !escaped {
		return d.alias(i, j)
	}
	return view(unescape(make([]byte, 0, j-i), d.buf[i:j]))
}

// unescape appends the meaning of checked string text to dst.
func unescape(dst, src []byte) []byte {
	for p := 0; p < len(src); {
		end := plainEnd(src, p)
		dst = append(dst, src[p:end]...)
		if p = end; p >= len(src) {
			break
		}
		if src[p+1] != 'u' {
			dst = append(dst, unescaped(src[p+1]))
			p += 2
			continue
		}
		r, _ := hex4(src, p+2)
		if p += 6; utf16.IsSurrogate(r) {
			low, _ := hex4(src, p+2)
			r = utf16.DecodeRune(r, low)
			p += 6
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c
	}
}

func hex4(buf []byte, p int) (rune, bool) {
	if p+4 > len(buf) {
		return 0, false
	}
	var r rune
	for _, c := range buf[p : p+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
