package jsonx

import (
	"math"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string. It returns false, and dst as it was, when s is not valid UTF-8.
func AppendString(dst []byte, s string) ([]byte, bool) {
	base := len(dst)
	dst = append(dst, '"')
	start, wide := 0, uint64(0)
	for i := 0; i < len(s); {
		end, high := plainEndString(s, i)
		wide |= high
		if end == len(s) {
			break
		}
		dst = appendEscape(append(dst, s[start:end]...), s[end])
		i = end + 1
		start = i
	}
	if wide != 0 && !utf8.ValidString(s) {
		return dst[:base], false
	}
	return append(append(dst, s[start:]...), '"'), true
}

// plainEndString returns the index of the first byte at or behind p that must be escaped, len(s) if there is none. high is
// not zero if a byte up to there is beyond ASCII.
func plainEndString(s string, p int) (end int, high uint64) {
	for ; p+8 <= len(s); p += 8 {
		w := uint64(s[p]) | uint64(s[p+1])<<8 | uint64(s[p+2])<<16 | uint64(s[p+3])<<24 |
			uint64(s[p+4])<<32 | uint64(s[p+5])<<40 | uint64(s[p+6])<<48 | uint64(s[p+7])<<56
		high |= w & highs
		if m := stops(w); m != 0 {
			return p + bits.TrailingZeros64(m)>>3, high
		}
	}
	for ; p < len(s) && s[p] >= 0x20 && s[p] != '"' && s[p] != '\\'; p++ {
		high |= uint64(s[p] & 0x80)
	}
	return p, high
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
}

// AppendUint appends n in decimal.
func AppendUint(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }

// AppendInt appends n in decimal.
func AppendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// AppendBool appends true or false.
func AppendBool(dst []byte, b bool) []byte { return strconv.AppendBool(dst, b) }

// AppendFloat appends the shortest text that reads back as f. It returns false, and dst as it was, for NaN and infinities,
// which JSON cannot say.
func AppendFloat(dst []byte, f float64) ([]byte, bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, false
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64), true
}
