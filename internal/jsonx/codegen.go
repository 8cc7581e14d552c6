package jsonx

import "time"

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

// AppendMember appends lit, which is a name with its colon and what stands before it, and s as a JSON string. It returns
// false, and dst as it was, when s is not valid UTF-8.
func AppendMember(dst []byte, lit, s string) ([]byte, bool) {
	if !plainASCII(s) {
		base := len(dst)
		dst, ok := AppendString(append(dst, lit...), s)
		if !ok {
			dst = dst[:base]
		}
		return dst, ok
	}
	n := len(dst)
	end := n + len(lit) + len(s) + 2
	if end > cap(dst) {
		return append(append(append(append(dst, lit...), '"'), s...), '"'), true
	}
	dst = dst[:end]
	n += copy(dst[n:], lit)
	dst[n] = '"'
	copy(dst[n+1:], s)
	dst[end-1] = '"'
	return dst, true
}

// plainASCII says whether s is ASCII without quotes, backslashes and controls, so that it is its own JSON text. Whether
// any byte offends is all that is asked, so borrows between bytes, which only an offending byte starts, do no harm.
func plainASCII(s string) bool {
	if len(s) < 8 {
		return plainShort(s)
	}
	for i := 0; i+8 < len(s); i += 8 {
		if offends(load(s, i)) {
			return false
		}
	}
	return !offends(load(s, len(s)-8))
}

func plainShort(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x80 || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func offends(w uint64) bool {
	return (w|((w^ones*'"')-ones)|((w^ones*'\\')-ones)|(w-ones*0x20))&highs != 0
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
