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

// civil agrees with time.Time on the first and last second of every day of the years 0..9999 that a stride of days meets,
// leap days of every kind among them.
func TestCivil(t *testing.T) {
	t.Parallel()
	check := func(unix int64) {
		want := time.Unix(unix, 0).UTC()
		y, mo, d, h, mi, s := civil(unix)
		if got := time.Date(y, time.Month(mo), d, h, mi, s, 0, time.UTC); !got.Equal(want) || mo < 1 || mo > 12 || d < 1 {
			t.Fatalf("civil(%d) = %d-%d-%d %d:%d:%d, want %s", unix, y, mo, d, h, mi, s, want)
		}
	}
	for unix := int64(firstSecond); unix <= lastSecond; unix += 13 * 86400 {
		check(unix)
		check(unix + 86399)
	}
	for _, year := range []int{0, 1, 4, 100, 400, 1600, 1900, 1970, 2000, 2024, 2100, 9999} {
		for day := -2; day <= 2; day++ {
			if at := time.Date(year, 3, 1+day, 12, 34, 56, 0, time.UTC).Unix(); at >= firstSecond {
				check(at)
			}
		}
	}
	check(lastSecond)
}
