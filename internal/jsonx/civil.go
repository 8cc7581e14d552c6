package jsonx

import (
	"slices"
	"time"
)

// The bounds of the years 0..9999, in seconds since 1970.
const firstSecond, lastSecond = -62_167_219_200, 253_402_300_799

// longestTime is the length of a time with its quotes and nine digits of fraction.
const longestTime = len(`"2006-01-02T15:04:05.999999999Z"`)

// AppendTime appends t as a JSON string, RFC 3339 in UTC with Z and with none, three, six or nine digits of fraction,
// the fewest that lose nothing. It returns false, and dst as it was, for a year outside 0..9999.
func AppendTime(dst []byte, t time.Time) ([]byte, bool) {
	unix := t.Unix()
	if unix < firstSecond || unix > lastSecond {
		return dst, false
	}
	n := len(dst)
	dst = slices.Grow(dst, longestTime)
	b := dst[n : n+longestTime]
	seconds := uint64(unix - firstSecond)
	days := seconds / 86400
	year, month, day := civil(uint32(days))
	clock := uint32(seconds - days*86400)
	put2(b[1:], year/100)
	put2(b[3:], year%100)
	put2(b[6:], month)
	put2(b[9:], day)
	put2(b[12:], clock/3600)
	put2(b[15:], clock/60%60)
	put2(b[18:], clock%60)
	b[0], b[5], b[8], b[11], b[14], b[17] = '"', '-', '-', 'T', ':', ':'
	end := 20 + putFraction(b[20:], uint32(t.Nanosecond()))
	b[end], b[end+1] = 'Z', '"'
	return dst[:n+end+2], true
}

// putFraction writes the fraction of a second, and returns its length.
func putFraction(b []byte, nanos uint32) int {
	if nanos == 0 {
		return 0
	}
	b[0] = '.'
	milli, micro, nano := nanos/1_000_000, nanos/1000%1000, nanos%1000
	put3(b[1:], milli)
	if micro == 0 && nano == 0 {
		return 4
	}
	put3(b[4:], micro)
	if nano == 0 {
		return 7
	}
	put3(b[7:], nano)
	return 10
}

// pairs holds the two digits of each number below 100.
const pairs = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849" +
	"5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

func put2(b []byte, v uint32) { b[0], b[1] = pairs[2*v], pairs[2*v+1] }

func put3(b []byte, v uint32) {
	b[0] = byte('0' + v/100)
	put2(b[1:], v%100)
}

// civil returns the date of a day, counted from the first of January of the year 0. It is the algorithm of Neri and
// Schneider, "Euclidean affine functions and their application to calendar algorithms" (2022): years begin in March, so
// that the leap day comes last, and each division is of a constant.
func civil(day uint32) (year, month, date uint32) {
	// 60 days before the March that a cycle of 400 years begins with; one cycle earlier keeps all of it positive.
	n := 4*(day+146097-60) + 3
	century, rest := n/146097, n%146097|3
	p := uint64(rest) * 2939745
	y, dayOfYear := uint32(p>>32), uint32(p)/2939745/4
	m := 2141*dayOfYear + 197913
	year, month, date = 100*century+y-400, m>>16, m&0xffff/2141+1
	if dayOfYear >= 306 {
		return year + 1, month - 12, date
	}
	return year, month, date
}
