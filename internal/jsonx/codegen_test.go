package jsonx

import (
	"strings"
	"testing"
)

// AppendMember agrees with AppendString for every place an offending byte can stand in.
func TestAppendMember(t *testing.T) {
	t.Parallel()
	inserts := []string{"", "\"", "\\", "\n", "\x1f", "\x7f", "é", "\x80", "\xff", " ", "!", "#", "[", "]"}
	for n := range 20 {
		for at := range n + 1 {
			for _, insert := range inserts {
				s := strings.Repeat("a", at) + insert + strings.Repeat("z", n-at)
				want, wantOK := AppendString([]byte(`{"k":`), s)
				got, ok := AppendMember([]byte(`{`), `"k":`, s)
				if !wantOK {
					want = []byte(`{`)
				}
				if ok != wantOK || string(got) != string(want) {
					t.Fatalf("AppendMember(%q) = %q, %v, want %q, %v", s, got, ok, want, wantOK)
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
