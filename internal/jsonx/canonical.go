package jsonx

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// AppendCanonical appends the one form of a JSON text that all texts of the same value share: members sorted by name,
// numbers by exact value (1, 1.0 and 10e-1 are one number, at any size), strings by content, arrays in their order, no
// whitespace. It serves fingerprints (§7.2). What Scan refuses is refused.
func AppendCanonical(dst, text []byte) ([]byte, error) {
	var d Decoder
	d.Reset(text)
	dst = d.appendCanonical(dst)
	d.End()
	return dst, d.Err()
}

func (d *Decoder) appendCanonical(dst []byte) []byte {
	switch c := d.Peek(); {
	case c == '{':
		return d.canonicalObject(dst)
	case c == '[':
		return d.canonicalArray(dst)
	case c == '"':
		dst, _ = AppendString(dst, d.String()) // Reset has seen that it is UTF-8
		return dst
	case c == '-' || c >= '0' && c <= '9':
		return appendCanonicalNumber(dst, d.Number())
	default:
		return append(dst, d.Raw()...)
	}
}

func (d *Decoder) canonicalArray(dst []byte) []byte {
	dst = append(dst, '[')
	d.OpenArray()
	for first := true; d.NextElement(); first = false {
		if !first {
			dst = append(dst, ',')
		}
		dst = d.appendCanonical(dst)
	}
	return append(dst, ']')
}

// span is a member in the text written so far, its comma included.
type span struct {
	name     string
	from, to int
}

// canonicalObject writes the members in the order they come in, and puts them in order afterwards if they were not.
func (d *Decoder) canonicalObject(dst []byte) []byte {
	var few [12]span
	members, sorted := few[:0], true
	dst = append(dst, '{')
	start := len(dst)
	d.OpenObject()
	for {
		name, ok := d.NextKey()
		if !ok {
			break
		}
		at := len(dst)
		dst, _ = AppendString(dst, name)
		dst = append(d.appendCanonical(append(dst, ':')), ',')
		if n := len(members); n > 0 && members[n-1].name >= name {
			sorted = false
		}
		members = append(members, span{name, at, len(dst)})
	}
	if !sorted {
		d.sortMembers(dst[start:], members, start)
	}
	if len(members) > 0 {
		dst = dst[:len(dst)-1] // the last comma
	}
	return append(dst, '}')
}

// sortMembers puts written members, which fill text, in the order of their names. The first of them begins at base.
func (d *Decoder) sortMembers(text []byte, members []span, base int) {
	slices.SortFunc(members, func(a, b span) int { return strings.Compare(a.name, b.name) })
	was := slices.Clone(text)
	text = text[:0]
	for i, m := range members {
		if i > 0 && members[i-1].name == m.name {
			d.fail(d.pos, "duplicate member name")
		}
		text = append(text, was[m.from-base:m.to-base]...)
	}
}

// appendCanonicalNumber writes a number literal as [-]digits[e exponent], the digits without a zero at either end.
func appendCanonicalNumber(dst []byte, lit string) []byte {
	body, negative := strings.CutPrefix(lit, "-")
	mantissa, exponent := body, ""
	if i := strings.IndexAny(body, "eE"); i >= 0 {
		mantissa, exponent = body[:i], body[i+1:]
	}
	digits, frac, _ := strings.Cut(mantissa, ".")
	shift := -len(frac)
	if frac != "" {
		digits += frac
	}
	digits = strings.TrimLeft(digits, "0")
	n := len(digits)
	digits = strings.TrimRight(digits, "0")
	if shift += n - len(digits); digits == "" {
		return append(dst, '0')
	}
	if negative {
		dst = append(dst, '-')
	}
	return appendExponent(append(dst, digits...), exponent, shift)
}

// appendExponent appends e and the sum of an exponent, which is as large as its writer liked, and shift; nothing for 0.
func appendExponent(dst []byte, exponent string, shift int) []byte {
	if n, err := strconv.Atoi(exponent); err == nil && len(exponent) < 10 {
		exponent, shift = "", shift+n
	}
	if exponent == "" {
		if shift != 0 {
			dst = strconv.AppendInt(append(dst, 'e'), int64(shift), 10)
		}
		return dst
	}
	sum, _ := new(big.Int).SetString(strings.TrimPrefix(exponent, "+"), 10)
	if sum.Add(sum, big.NewInt(int64(shift))).Sign() != 0 {
		dst = sum.Append(append(dst, 'e'), 10)
	}
	return dst
}
