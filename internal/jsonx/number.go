package jsonx

import (
	"math"
	"strconv"
)

// scanNumber checks the number at p and returns the position behind it, or -1 after an error.
func (d *Decoder) scanNumber(p int) int {
	start := p
	if p < len(d.buf) && d.buf[p] == '-' {
		p++
	}
	switch {
	case p < len(d.buf) && d.buf[p] == '0':
		p++
	case p < len(d.buf) && isDigit(d.buf[p]):
		p = digitsEnd(d.buf, p)
	default:
		return d.fail(p, "expected a digit")
	}
	if p < len(d.buf) && d.buf[p] == '.' {
		if p++; p >= len(d.buf) || !isDigit(d.buf[p]) {
			return d.fail(p, "expected a digit")
		}
		p = digitsEnd(d.buf, p)
	}
	if p < len(d.buf) && d.buf[p]|0x20 == 'e' {
		if p++; p < len(d.buf) && (d.buf[p] == '+' || d.buf[p] == '-') {
			p++
		}
		if p >= len(d.buf) || !isDigit(d.buf[p]) {
			return d.fail(p, "expected a digit")
		}
		p = digitsEnd(d.buf, p)
	}
	if p < len(d.buf) && (isDigit(d.buf[p]) || d.buf[p] == '.') {
		return d.fail(p, "malformed number")
	}
	if p-start > MaxNumberLen {
		return d.fail(start, "number longer than 64 bytes")
	}
	return p
}

// Number reads a number and returns its literal, which aliases the frame; "" if the value is none.
func (d *Decoder) Number() string {
	p := spaceEnd(d.buf, d.pos)
	if p >= len(d.buf) || d.buf[p] != '-' && !isDigit(d.buf[p]) {
		d.mismatch("a number")
		return ""
	}
	end := d.scanNumber(p)
	if end < 0 {
		return ""
	}
	d.pos = end
	return d.alias(p, end)
}

// Uint reads an integer of 0..2^64-1, written without point and exponent.
func (d *Decoder) Uint() uint64 {
	p := d.pos
	var n uint64
	// Nineteen digits cannot overflow.
	for p < len(d.buf) && p-d.pos < 19 && isDigit(d.buf[p]) {
		n = n*10 + uint64(d.buf[p]-'0')
		p++
	}
	if p > d.pos && p < len(d.buf) && (d.buf[p] == ',' || d.buf[p] == '}') && (d.buf[d.pos] != '0' || p == d.pos+1) {
		d.pos = p
		return n
	}
	at := d.Save()
	lit := d.Number()
	if lit == "" {
		return 0
	}
	n, err := strconv.ParseUint(lit, 10, 64)
	if err != nil {
		d.Report(at, "must be a whole number from 0 to 2^64-1")
		return 0
	}
	return n
}

// Int reads an integer of -2^63..2^63-1, written without point and exponent.
func (d *Decoder) Int() int64 {
	at := d.Save()
	lit := d.Number()
	if lit == "" {
		return 0
	}
	n, err := strconv.ParseInt(lit, 10, 64)
	if err != nil {
		d.Report(at, "must be a whole number from -2^63 to 2^63-1")
		return 0
	}
	return n
}

// Float reads a number as the nearest float64; one beyond its range is an error.
func (d *Decoder) Float() float64 {
	at := d.Save()
	lit := d.Number()
	if lit == "" {
		return 0
	}
	f, err := strconv.ParseFloat(lit, 64)
	if err != nil || math.IsInf(f, 0) {
		d.Report(at, "number beyond the range of a 64-bit float")
		return 0
	}
	return f
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func digitsEnd(buf []byte, p int) int {
	for p < len(buf) && isDigit(buf[p]) {
		p++
	}
	return p
}
