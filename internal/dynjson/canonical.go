package dynjson

import (
	"bytes"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/goccy/go-json/jsontext"
)

// Canonical returns the one form of a JSON text that all texts of the same value share: members sorted by name, numbers
// by exact value (1, 1.0 and 10e-1 are one number, at any size), strings by content, arrays in their order, no
// whitespace. It serves fingerprints (§7.2). Texts that Unmarshal refuses are refused; the error is an *Error.
func Canonical(text []byte) ([]byte, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(bytes.Clone(text)))
	out, err := appendCanonical(nil, d)
	if err == nil {
		_, err = d.ReadToken()
		if err == nil {
			return nil, &Error{Op: "canonicalize", Offset: d.InputOffset(), Problem: "text after the end of the value"}
		}
		if errors.Is(err, io.EOF) {
			return out, nil
		}
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, wrap("canonicalize", err)
}

func appendCanonical(dst []byte, d *jsontext.Decoder) ([]byte, error) {
	t, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case '{':
		return appendObject(dst, d)
	case '[':
		return appendArray(dst, d)
	case '"':
		return jsontext.AppendQuote(dst, t.String())
	case '0':
		return appendNumber(dst, t.String()), nil
	default:
		return append(dst, t.String()...), nil
	}
}

type member struct{ name, text string }

func appendObject(dst []byte, d *jsontext.Decoder) ([]byte, error) {
	var members []member
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		m := member{name: name.String()}
		quoted, err := jsontext.AppendQuote(nil, m.name)
		if err != nil {
			return nil, err
		}
		text, err := appendCanonical(append(quoted, ':'), d)
		if err != nil {
			return nil, err
		}
		m.text = string(text)
		members = append(members, m)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, m.text...)
	}
	return append(dst, '}'), nil
}

func appendArray(dst []byte, d *jsontext.Decoder) ([]byte, error) {
	dst = append(dst, '[')
	for first := true; d.PeekKind() != ']'; first = false {
		if !first {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendCanonical(dst, d); err != nil {
			return nil, err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	return append(dst, ']'), nil
}

// appendNumber writes a number literal as [-]digits[e exponent], the digits without a zero at either end.
func appendNumber(dst []byte, lit string) []byte {
	body, negative := strings.CutPrefix(lit, "-")
	mantissa, exponent := body, ""
	if i := strings.IndexAny(body, "eE"); i >= 0 {
		mantissa, exponent = body[:i], body[i+1:]
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+frac, "0")
	shift := -int64(len(frac))
	if n := len(digits); n > 0 {
		digits = strings.TrimRight(digits, "0")
		shift += int64(n - len(digits))
	}
	if digits == "" {
		return append(dst, '0')
	}
	if negative {
		dst = append(dst, '-')
	}
	dst = append(dst, digits...)
	// The exponent is as large as its writer liked.
	exp := new(big.Int)
	if exponent != "" {
		exp.SetString(strings.TrimPrefix(exponent, "+"), 10)
	}
	if exp.Add(exp, big.NewInt(shift)); exp.Sign() != 0 {
		dst = exp.Append(append(dst, 'e'), 10)
	}
	return dst
}
