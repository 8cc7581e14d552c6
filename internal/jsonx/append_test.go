package jsonx

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

func TestAppendString(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"", `""`},
		{"plain text of some length", `"plain text of some length"`},
		{"q\"b\\s/", `"q\"b\\s/"`},
		{"\b\f\n\r\t\x00\x1f", `"\b\f\n\r\t\u0000\u001f"`},
		{"01234567\n01234567\"", `"01234567\n01234567\""`},
		{"<é\u2028\x7f>", "\"<é\u2028\x7f>\""},
	} {
		got, ok := AppendString([]byte("x"), c.in)
		if !ok || string(got) != "x"+c.want {
			t.Errorf("AppendString(%q) = %s, %v, want x%s", c.in, got, ok, c.want)
		}
	}
	for _, in := range []string{"\xff", "0123456789\xe2\x82", "a\"\xc0\xaf", "\xed\xa0\x80"} {
		if got, ok := AppendString([]byte("x"), in); ok || string(got) != "x" {
			t.Errorf("AppendString(%q) = %q, %v, want a refusal", in, got, ok)
		}
	}
}

func TestAppendFloat(t *testing.T) {
	t.Parallel()
	for _, f := range []float64{0, 1, -1.5, 1e20, 1e21, 1e-6, 1e-7, 0.1, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		got, ok := AppendFloat(nil, f)
		var back float64
		if err := json.Unmarshal(got, &back); !ok || err != nil || back != f {
			t.Errorf("AppendFloat(%v) = %s, %v, read back as %v, %v", f, got, ok, back, err)
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got, ok := AppendFloat([]byte("x"), f); ok || string(got) != "x" {
			t.Errorf("AppendFloat(%v) = %q, %v, want a refusal", f, got, ok)
		}
	}
}

func TestAppendTime(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 2*3600)
	for _, c := range []struct {
		in   time.Time
		want string
	}{
		{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), `"2026-01-02T03:04:05Z"`},
		{time.Date(2026, 1, 2, 3, 4, 5, 120_000_000, time.UTC), `"2026-01-02T03:04:05.120Z"`},
		{time.Date(2026, 1, 2, 3, 4, 5, 1_000, time.UTC), `"2026-01-02T03:04:05.000001Z"`},
		{time.Date(2026, 1, 2, 3, 4, 5, 123_456_789, time.UTC), `"2026-01-02T03:04:05.123456789Z"`},
		{time.Date(2026, 1, 2, 1, 4, 5, 0, zone), `"2026-01-01T23:04:05Z"`},
		{time.Date(7, 12, 31, 0, 0, 0, 0, time.UTC), `"0007-12-31T00:00:00Z"`},
	} {
		got, ok := AppendTime(nil, c.in)
		if !ok || string(got) != c.want {
			t.Errorf("AppendTime(%v) = %s, %v, want %s", c.in, got, ok, c.want)
		}
		if back := decoderOf(string(got)).Time(); !back.Equal(c.in) {
			t.Errorf("AppendTime(%v) reads back as %v", c.in, back)
		}
	}
	for _, year := range []int{-1, 10000} {
		if got, ok := AppendTime([]byte("x"), time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)); ok || string(got) != "x" {
			t.Errorf("AppendTime(year %d) = %s, %v, want a refusal", year, got, ok)
		}
	}
}

func TestAppendPlain(t *testing.T) {
	t.Parallel()
	b := AppendUint(nil, math.MaxUint64)
	b = AppendInt(append(b, ' '), math.MinInt64)
	b = AppendBool(append(b, ' '), true)
	if want := `18446744073709551615 -9223372036854775808 true`; string(b) != want {
		t.Errorf("appended %s, want %s", b, want)
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 256)
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	if n := testing.AllocsPerRun(100, func() {
		b, _ := AppendString(buf, "a \"string\" é")
		b, _ = AppendTime(b, at)
		b, _ = AppendFloat(b, 1.5)
		AppendUint(b, 7)
	}); n != 0 {
		t.Errorf("appending allocates %v times, want 0", n)
	}
}
