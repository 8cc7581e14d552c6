package arcp

import (
	"encoding/json"
	"strconv"
)

// Number is the literal of a JSON number, kept as it was written: 1.50 stays 1.50.
type Number string

// IntNumber returns n as a Number.
func IntNumber(n int64) Number { return Number(strconv.FormatInt(n, 10)) }

// FloatNumber returns the shortest literal that reads back as f. NaN and infinities give a Number that Valid refuses.
func FloatNumber(f float64) Number { return Number(strconv.FormatFloat(f, 'g', -1, 64)) }

// Float64 returns the nearest float64.
func (n Number) Float64() (float64, error) { return strconv.ParseFloat(string(n), 64) }

// Int64 returns the value of a literal without point and exponent.
func (n Number) Int64() (int64, error) { return strconv.ParseInt(string(n), 10, 64) }

// Amount returns the exact value.
func (n Number) Amount() (Amount, error) { return ParseAmount(string(n)) }

// Valid reports whether n is a JSON number of bounded length.
func (n Number) Valid() bool {
	if n == "" || len(n) > LimitNumberLength || n[len(n)-1] < '0' || n[len(n)-1] > '9' {
		return false
	}
	if c := n[0]; c != '-' && (c < '0' || c > '9') {
		return false
	}
	if plainDigits(n) {
		return true
	}
	return json.Valid([]byte(n))
}

func plainDigits(n Number) bool {
	if len(n) > 1 && n[0] == '0' {
		return false
	}
	for i := range len(n) {
		if n[i] < '0' || n[i] > '9' {
			return false
		}
	}
	return true
}

// MarshalJSON returns the literal.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Valid() {
		return nil, &ValidationError{Findings: []Finding{{Problem: "is not a number"}}}
	}
	return []byte(n), nil
}

// UnmarshalJSON keeps the literal.
func (n *Number) UnmarshalJSON(text []byte) error {
	if got := Number(text); got.Valid() {
		*n = got
		return nil
	}
	return &DecodeError{Findings: []Finding{{Problem: "must be a number"}}}
}

func appendNumber(dst []byte, n Number) ([]byte, bool) {
	if !n.Valid() {
		return dst, false
	}
	return append(dst, n...), true
}
