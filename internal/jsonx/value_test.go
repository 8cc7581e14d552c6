package jsonx

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func decoderOf(text string) *Decoder {
	d := new(Decoder)
	d.Reset([]byte(text))
	return d
}

func TestString(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{`""`, ""},
		{`"a"`, "a"},
		{` "12345678"`, "12345678"},
		{`"1234567\n"`, "1234567\n"},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{`"\u0000\u00E9\u20ac\ud834\uDD1E!"`, "\x00é€\U0001d11e!"},
		{"\"é€\U0001d11e\"", "é€\U0001d11e"},
	} {
		d := decoderOf(c.text)
		if got := d.String(); got != c.want || d.Failed() {
			t.Errorf("String(%s) = %q, %v, want %q", c.text, got, d.Err(), c.want)
		}
		if d.End(); d.Failed() {
			t.Errorf("String(%s) stopped early: %v", c.text, d.Err())
		}
	}
}

// Stops must be found at every place of a word, whatever stands around them.
func TestPlainEndEveryPlace(t *testing.T) {
	t.Parallel()
	for _, stop := range []byte{'"', '\\', 0, 0x1f, '\n'} {
		for _, fill := range []byte{'a', ' ', '!', '#', '[', ']', 0x7f, 0x80, 0xff} {
			for at := range 24 {
				buf := []byte(strings.Repeat(string([]byte{fill}), 24))
				buf[at] = stop
				if got := plainEnd(buf, 0); got != at {
					t.Errorf("plainEnd(%q) = %d, want %d", buf, got, at)
				}
				if got, _ := plainEndString(string(buf), 0); got != at {
					t.Errorf("plainEndString(%q) = %d, want %d", buf, got, at)
				}
			}
		}
	}
}

func TestStringAliasesFrame(t *testing.T) {
	t.Parallel()
	frame := []byte(`"abc"`)
	var d Decoder
	d.Reset(frame)
	s := d.String()
	frame[1] = 'X'
	if s != "Xbc" {
		t.Errorf("String() = %q after a change of the frame, want an alias", s)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		read func(*Decoder) any
		want any
		ok   bool
	}{
		{"0", func(d *Decoder) any { return d.Uint() }, uint64(0), true},
		{"18446744073709551615", func(d *Decoder) any { return d.Uint() }, uint64(1<<64 - 1), true},
		{"18446744073709551616", func(d *Decoder) any { return d.Uint() }, uint64(0), false},
		{"-1", func(d *Decoder) any { return d.Uint() }, uint64(0), false},
		{"1e2", func(d *Decoder) any { return d.Uint() }, uint64(0), false},
		{"1.0", func(d *Decoder) any { return d.Uint() }, uint64(0), false},
		{"07", func(d *Decoder) any { return d.Uint() }, uint64(0), false},
		{"-9223372036854775808", func(d *Decoder) any { return d.Int() }, int64(-1 << 63), true},
		{"9223372036854775808", func(d *Decoder) any { return d.Int() }, int64(0), false},
		{"-0.5e1", func(d *Decoder) any { return d.Float() }, -5.0, true},
		{"1e400", func(d *Decoder) any { return d.Float() }, 0.0, false},
		{"1e-400", func(d *Decoder) any { return d.Float() }, 0.0, true},
		{" 1.50", func(d *Decoder) any { return d.Number() }, "1.50", true},
		{`"1"`, func(d *Decoder) any { return d.Number() }, "", false},
		{"null", func(d *Decoder) any { return d.Uint() }, uint64(0), false},
		{"true", func(d *Decoder) any { return d.Bool() }, true, true},
		{" false", func(d *Decoder) any { return d.Bool() }, false, true},
		{"0", func(d *Decoder) any { return d.Bool() }, false, false},
		{" null", func(d *Decoder) any { return d.Null() }, true, true},
		{"null,", func(d *Decoder) any { return d.Null() && d.Literal(",") }, true, true},
	} {
		d := decoderOf(c.text)
		if got := c.read(d); got != c.want || d.Failed() == c.ok {
			t.Errorf("read(%s) = %v, %v, want %v, ok %v", c.text, got, d.Err(), c.want, c.ok)
		}
	}
}

// The fast path of Uint ends where a member or an object ends.
func TestUintInObject(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]uint64{
		`{"n":0}`: 0, `{"n":42,"m":1}`: 42, `{"n":9999999999999999999}`: 9999999999999999999,
		`{"n":12345678901234567890,"m":1}`: 12345678901234567890, `{"n": 7 }`: 7,
	} {
		d := decoderOf(text)
		d.OpenObject()
		d.Member(`"n":`)
		if got := d.Uint(); got != want || d.Failed() {
			t.Errorf("Uint in %s = %d, %v, want %d", text, got, d.Err(), want)
		}
	}
	for _, text := range []string{`{"n":00}`, `{"n":01,"m":1}`, `{"n":}`, `{"n":,`} {
		d := decoderOf(text)
		d.OpenObject()
		d.Member(`"n":`)
		if got := d.Uint(); !d.Failed() {
			t.Errorf("Uint in %s = %d, want an error", text, got)
		}
	}
}

func TestRaw(t *testing.T) {
	t.Parallel()
	d := decoderOf(`[ {"a" : [1, 2]} , null]`)
	d.OpenArray()
	d.NextElement()
	raw := d.RawObject()
	if string(raw) != `{"a" : [1, 2]}` || cap(raw) != len(raw) {
		t.Errorf("RawObject() = %q with capacity %d, want the text, clipped", raw, cap(raw))
	}
	d.NextElement()
	if raw := d.RawObject(); raw != nil || d.Err() == nil || !strings.Contains(d.Err().Error(), "must be an object, not null") {
		t.Errorf("RawObject() = %q, %v, want a finding", raw, d.Err())
	}
	if d.NextElement() {
		t.Error("NextElement() = true at the end")
	}
}

// Depth counts from the frame, not from the raw value.
func TestRawDepth(t *testing.T) {
	t.Parallel()
	for n, ok := range map[int]bool{62: true, 63: false} {
		d := decoderOf(`{"a":{"b":` + deep(n) + `}}`)
		d.OpenObject()
		d.NextKey()
		d.OpenObject()
		d.NextKey()
		if raw := d.Raw(); (raw != nil) != ok {
			t.Errorf("Raw of %d levels below two = %v, want ok %v", n, d.Err(), ok)
		}
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		ok   bool
		utc  bool
	}{
		{"2026-11-24T13:05:55Z", true, true},
		{"2026-11-24T13:05:55.1Z", true, true},
		{"2024-02-29T23:59:59.123456789Z", true, true},
		{"2024-02-29T23:59:59.1234567899Z", true, true},
		{"0000-01-01T00:00:00Z", true, true},
		{"0000-03-01T00:00:00Z", true, true},
		{"9999-12-31T23:59:59Z", true, true},
		{"1969-12-31T23:59:59Z", true, true},
		{"2026-11-24T13:05:55+02:00", true, false},
		{"2026-11-24T13:05:55.5-23:59", true, false},
		{"2026-11-24T13:05:55+00:00", true, false},
		{"0000-01-01T01:00:00+01:00", true, false},
		{"0000-01-01T00:59:59+01:00", false, false},
		{"9999-12-31T23:59:59-00:01", false, false},
		{"9999-12-31T23:58:59-00:01", true, false},
		{"2026-11-24T13:05:55", false, false},
		{"2026-11-24t13:05:55z", false, false},
		{"2026-11-24 13:05:55Z", false, false},
		{"2026-11-24T13:05:55.Z", false, false},
		{"2026-11-24T13:05:55,5Z", false, false},
		{"2026-11-24T13:05:55.5", false, false},
		{"2026-11-24T3:05:55Z", false, false},
		{"2026-02-29T13:05:55Z", false, false},
		{"2100-02-29T13:05:55Z", false, false},
		{"2026-04-31T13:05:55Z", false, false},
		{"2026-13-01T13:05:55Z", false, false},
		{"2026-00-01T13:05:55Z", false, false},
		{"2026-01-00T13:05:55Z", false, false},
		{"2026-01-01T24:00:00Z", false, false},
		{"2026-01-01T23:60:00Z", false, false},
		{"2026-12-31T23:59:60Z", false, false},
		{"2026-01-01T23:00:00+24:00", false, false},
		{"2026-01-01T23:00:00+01:60", false, false},
		{"2026-01-01T23:00:00+0100", false, false},
		{"2026-01-01T23:00:00ZZ", false, false},
		{"2o26-01-01T23:00:00Z", false, false},
		{"", false, false},
	} {
		got, ok := ParseTime(c.text)
		if ok != c.ok {
			t.Errorf("ParseTime(%q) ok = %v, want %v", c.text, ok, c.ok)
			continue
		}
		if !ok {
			continue
		}
		want, err := time.Parse(time.RFC3339Nano, c.text)
		if err != nil || !got.Equal(want) || (got.Location() == time.UTC) != c.utc {
			t.Errorf("ParseTime(%q) = %v (UTC %v), want %v, %v", c.text, got, got.Location() == time.UTC, want, err)
		}
	}
}

// Every day of the calendar must agree with package time.
func TestDaysSince1970(t *testing.T) {
	t.Parallel()
	day := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	for day.Year() < 10000 {
		y, m, d := day.Date()
		if got, want := daysSince1970(y, int(m), d), int(day.Unix()/86400); int64(want)*86400 != day.Unix() || got != want {
			t.Fatalf("daysSince1970(%d, %d, %d) = %d, want %d", y, m, d, got, want)
		}
		day = day.AddDate(0, 0, 1)
	}
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	frame := []byte(`{"name":"a longer plain name","x":1,"y":-2}`)
	var p point
	if n := testing.AllocsPerRun(100, func() {
		var d Decoder
		d.Reset(frame)
		p.read(&d)
		d.End()
		if d.Failed() {
			t.Fatal(d.Err())
		}
	}); n != 0 {
		t.Errorf("decoding allocates %v times, want 0", n)
	}
	raw := []byte(`{"a":{"b":[1,2,{"c":"d","e":null}]},"f":1}`)
	if n := testing.AllocsPerRun(100, func() {
		if Scan(raw) != nil {
			t.Fatal("Scan refused")
		}
	}); n != 0 {
		t.Errorf("Scan allocates %v times, want 0", n)
	}
}

// FuzzScan holds the cursor against encoding/json: what Scan accepts encoding/json accepts, what it refuses beyond that
// is on the list of the package comment.
func FuzzScan(f *testing.F) {
	for _, c := range scanCases() {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		err := Scan(text)
		valid := json.Valid(text)
		if err == nil && !valid {
			t.Fatalf("Scan accepts %q, encoding/json does not", text)
		}
		if err == nil || !valid {
			return
		}
		for _, allowed := range []string{"duplicate", "lone surrogate", "invalid UTF-8", "nesting deeper", "number longer"} {
			if strings.Contains(err.Error(), allowed) {
				return
			}
		}
		t.Fatalf("Scan refuses %q: %v, encoding/json does not", text, err)
	})
}

// FuzzString holds decoded strings and times against encoding/json, and the appender against the decoder.
func FuzzString(f *testing.F) {
	for _, c := range stringCases() {
		f.Add([]byte(c.text))
	}
	f.Add([]byte(`"2026-11-24T13:05:55.120Z"`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var d Decoder
		d.Reset(text)
		got := d.String()
		if d.End(); d.Failed() {
			return
		}
		var want string
		if err := json.Unmarshal(text, &want); err != nil || got != want {
			t.Fatalf("String(%q) = %q, want %q, %v", text, got, want, err)
		}
		again, ok := AppendString(nil, got)
		if !ok {
			t.Fatalf("AppendString(%q) refuses", got)
		}
		if err := json.Unmarshal(again, &want); err != nil || got != want {
			t.Fatalf("AppendString(%q) = %s, read back as %q, %v", got, again, want, err)
		}
		tm, ok := ParseTime(got)
		if !ok {
			return
		}
		var std time.Time
		if err := json.Unmarshal(text, &std); err != nil || !std.Equal(tm) {
			t.Fatalf("ParseTime(%q) = %v, want %v, %v", got, tm, std, err)
		}
	})
}

// FuzzMembers holds a decoder of the generated shape against encoding/json's values.
func FuzzMembers(f *testing.F) {
	f.Add([]byte(`{"name":"p","x":1,"y":-2}`))
	f.Add([]byte(` {"y" : -2, "z":[{"x":1}], "name": "\u0070","x":1e0} `))
	f.Fuzz(func(t *testing.T, text []byte) {
		var d Decoder
		var p point
		d.Reset(text)
		p.read(&d)
		if d.End(); d.Failed() {
			return
		}
		var std map[string]json.RawMessage
		if err := json.Unmarshal(text, &std); err != nil {
			t.Fatalf("read(%q) accepts, encoding/json says %v", text, err)
		}
		var want point
		for name, into := range map[string]any{"name": &want.name, "x": &want.x, "y": &want.y} {
			if raw, ok := std[name]; ok {
				if err := json.Unmarshal(raw, into); err != nil {
					t.Fatalf("read(%q) accepts, encoding/json says %v", text, err)
				}
			}
		}
		if want.seen = p.seen; p != want {
			t.Fatalf("read(%q) = %+v, want %+v", text, p, want)
		}
	})
}
