package jsonx

import (
	"strings"
	"testing"
	"time"
)

// AppendRest agrees with AppendString for every place an offending byte can stand in, with and without room.
func TestAppendRest(t *testing.T) {
	t.Parallel()
	inserts := []string{"", "\"", "\\", "\n", "\x1f", "\x7f", "é", "\x80", "\xff", " ", "!", "#", "[", "]"}
	for n := range 20 {
		for at := range n + 1 {
			for _, insert := range inserts {
				s := strings.Repeat("a", at) + insert + strings.Repeat("z", n-at)
				want, wantOK := AppendString(nil, s)
				if !wantOK {
					want = []byte(`"`)
				}
				for _, room := range []int{1, 64} {
					got, ok := AppendRest(append(make([]byte, 0, room), '"'), s)
					if ok != wantOK || string(got) != string(want) {
						t.Fatalf("AppendRest(%q) = %q, %v, want %q, %v", s, got, ok, want, wantOK)
					}
				}
			}
		}
	}
}

func TestOpenWith(t *testing.T) {
	t.Parallel()
	var d Decoder
	d.Reset([]byte(`{"a":"x\ty","b":{}}`))
	if d.OpenWith(`{"b":`) {
		t.Fatal("OpenWith matched another name")
	}
	if !d.OpenWith(`{"a":"`) {
		t.Fatal("OpenWith did not match")
	}
	if got := d.StringRest(); got != "x\ty" {
		t.Errorf("StringRest() = %q, want %q", got, "x\ty")
	}
	if !d.Literal(`,"b":`) || !d.OpenObject() || !d.Close() || !d.Close() {
		t.Error("the rest of the object was not read")
	}
	if d.End(); d.Err() != nil {
		t.Error(d.Err())
	}
}

func TestStringRestRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"abc", "a\nb\"", `a\q"`, `\ud800"`} {
		var d Decoder
		d.Reset([]byte(`"` + text))
		d.Literal(`"`)
		if d.StringRest(); d.Err() == nil {
			t.Errorf("StringRest accepted %q", text)
		}
	}
}

// civil agrees with time.Time on every day of the years 0..9999.
func TestCivil(t *testing.T) {
	t.Parallel()
	at := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	for day := uint32(0); at.Year() < 10000; day, at = day+1, at.AddDate(0, 0, 1) {
		y, m, d := at.Date()
		if year, month, date := civil(day); year != uint32(y) || month != uint32(m) || date != uint32(d) {
			t.Fatalf("civil(%d) = %d-%d-%d, want %s", day, year, month, date, at.Format(time.DateOnly))
		}
	}
}

// The clock part is right at the ends of a day, of an hour and of a minute.
func TestAppendTimeClock(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"0000-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2000-02-29T00:59:59.999Z", "9999-12-31T23:59:59.999999999Z", "2024-02-29T12:00:00.000001Z"} {
		at, err := time.Parse(time.RFC3339Nano, want)
		if err != nil {
			t.Fatal(err)
		}
		for _, room := range []int{0, 64} {
			if got, ok := AppendTime(make([]byte, 0, room), at); !ok || string(got) != `"`+want+`"` {
				t.Errorf("AppendTime(%s) = %s, %v", want, got, ok)
			}
		}
	}
}
