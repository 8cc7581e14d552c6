package jsonx

import (
	"encoding/binary"
	"time"
)

// What generated codecs use beside the cursor: text that our own encoders write is matched as whole literals, opening
// quotes and commas included, and whatever does not match is left to the general functions.

// OpenWith reads the literal lit, which begins with the brace of an object and ends behind a name's colon or behind the
// opening quote of a string, and says whether it was there. After false the cursor has not moved. The object's name in
// lit counts as read.
func (d *Decoder) OpenWith(lit string) bool {
	if !d.Literal(lit) {
		return false
	}
	d.depth++
	if len(d.unknown) > 0 {
		d.forgetUnknown(d.depth - 1)
	}
	return true
}

// Close reads the brace that ends an object if it stands right at the cursor, and says whether it did. At least one
// member of the object must have been read.
func (d *Decoder) Close() bool {
	if d.pos >= len(d.buf) || d.buf[d.pos] != '}' {
		return false
	}
	d.pos++
	d.depth--
	return true
}

// Lookalike ends the reading: the name NextKey returned last is that of a known member in other case.
func (d *Decoder) Lookalike() {
	d.fail(d.keyPos, "member name that differs from a known one in case only")
}

// StringRest reads a string whose opening quote has been read.
func (d *Decoder) StringRest() string {
	p := d.pos
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

// AppendRest appends s as a JSON string whose opening quote stands in dst already. It returns false, and dst as it was,
// when s is not valid UTF-8.
//
// Plain text, the common case, is checked while it is copied, a word at a time, into the room behind dst.
func AppendRest(dst []byte, s string) ([]byte, bool) {
	n := len(dst)
	end := n + len(s) + 1
	if end > cap(dst) {
		return appendRest(dst, s)
	}
	room := dst[:end]
	if !copyPlain(room[n:n+len(s)], s) {
		return appendRest(dst, s)
	}
	room[end-1] = '"'
	return room, true
}

// appendRest is AppendRest for text that is not plain, and for a dst without room.
func appendRest(dst []byte, s string) ([]byte, bool) {
	n := len(dst)
	dst, ok := AppendString(dst[:n-1], s)
	if !ok {
		dst = dst[:n]
	}
	return dst, ok
}

// copyPlain copies s to dst, which is as long, and says whether s is its own JSON text: ASCII without escapes.
func copyPlain(dst []byte, s string) bool {
	if len(s) < 8 {
		for i := range dst {
			c := s[i]
			if c-' ' >= 0x60 || c == '"' || c == '\\' {
				return false
			}
			dst[i] = c
		}
		return true
	}
	var bad uint64
	for i := 0; i+8 < len(s); i += 8 {
		w := load(s, i)
		bad |= offends(w)
		binary.LittleEndian.PutUint64(dst[i:], w)
	}
	w := load(s, len(s)-8)
	binary.LittleEndian.PutUint64(dst[len(s)-8:], w)
	return (bad|offends(w))&highs == 0
}

// offends marks, in the high bits, words with a byte that is not ASCII or that JSON escapes. Whether any byte does is all
// it tells: a borrow, which only an offending byte starts, may mark others.
func offends(w uint64) uint64 {
	return w | ((w ^ ones*'"') - ones) | ((w ^ ones*'\\') - ones) | (w - ones*0x20)
}

// load is binary.LittleEndian.Uint64 for strings; the compiler makes it one load.
func load(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// TimeRest reads a string holding an RFC 3339 time whose opening quote has been read; see Time.
func (d *Decoder) TimeRest() time.Time {
	at := d.Save()
	at.pos--
	t, ok := ParseTime(d.StringRest())
	if !ok && !d.broken {
		d.Report(at, "must be an RFC 3339 time")
	}
	return t
}
