package jsonx

import "time"

// Time reads a string holding an RFC 3339 time. Its location is time.UTC exactly when the text ends in Z, a fixed zone
// otherwise; digits beyond nanoseconds are dropped.
func (d *Decoder) Time() time.Time {
	if d.Peek() != '"' {
		d.mismatch("a string holding an RFC 3339 time")
		return time.Time{}
	}
	at := d.Save()
	s := d.String()
	if d.broken {
		return time.Time{}
	}
	t, ok := ParseTime(s)
	if !ok {
		d.Report(at, "must be an RFC 3339 time")
	}
	return t
}

// ParseTime parses an RFC 3339 time as Time does. A time whose year in UTC is not one of 0..9999 is refused.
func ParseTime(s string) (time.Time, bool) {
	const shape = len("2006-01-02T15:04:05")
	if len(s) <= shape || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, false
	}
	century, ok0 := two(s, 0)
	year, ok1 := two(s, 2)
	month, ok2 := two(s, 5)
	day, ok3 := two(s, 8)
	hour, ok4 := two(s, 11)
	minute, ok5 := two(s, 14)
	second, ok6 := two(s, 17)
	year += century * 100
	if !(ok0 && ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	nanos, rest, ok := fraction(s[shape:])
	if !ok {
		return time.Time{}, false
	}
	unix := (int64(daysSince1970(year, month, day))*24+int64(hour))*3600 + int64(minute)*60 + int64(second)
	if rest == "Z" {
		return time.Unix(unix, nanos).UTC(), true
	}
	offset, ok := zone(rest)
	if !ok {
		return time.Time{}, false
	}
	if unix -= int64(offset); unix < firstSecond || unix > lastSecond {
		return time.Time{}, false
	}
	return time.Unix(unix, nanos).In(time.FixedZone(rest, offset)), true
}

func two(s string, i int) (int, bool) {
	a, b := s[i]-'0', s[i+1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

// fraction reads the optional fraction of a second at the start of s.
func fraction(s string) (nanos int64, rest string, ok bool) {
	if s[0] != '.' {
		return 0, s, true
	}
	i, scale := 1, int64(100_000_000)
	for ; i < len(s) && isDigit(s[i]); i++ {
		nanos += int64(s[i]-'0') * scale
		scale /= 10
	}
	return nanos, s[i:], i > 1 && i < len(s)
}

// zone reads a numeric zone offset, in seconds.
func zone(s string) (offset int, ok bool) {
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	h, ok0 := two(s, 1)
	m, ok1 := two(s, 4)
	offset = h*3600 + m*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, ok0 && ok1 && h <= 23 && m <= 59
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	default:
		return 31
	}
}

// daysSince1970 counts days of the Gregorian calendar with years beginning in March, so that the leap day comes last.
func daysSince1970(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	year += 400 // years before March of year 0 stay positive, so that division rounds down
	return year*365 + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468 - 146097
}
