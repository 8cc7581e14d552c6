package dynjson

import (
	stdjson "encoding/json"
	"errors"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

type sample struct {
	Name string             `json:"name"`
	N    int                `json:"n"`
	Tags []string           `json:"tags"`
	Map  map[string]int     `json:"map"`
	At   time.Time          `json:"at,omitzero"`
	Raw  stdjson.RawMessage `json:"raw,omitempty"`
	Any  any                `json:"any"`
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	in := sample{Name: "<é>", N: -3, Map: map[string]int{"b": 2, "a": 1}, At: time.Unix(5, 0).UTC(), Any: []any{1.5, nil, true}}
	text, err := Marshal(in)
	want := `{"name":"<é>","n":-3,"tags":[],"map":{"a":1,"b":2},"at":"1970-01-01T00:00:05Z","any":[1.5,null,true]}`
	if err != nil || string(text) != want {
		t.Fatalf("Marshal = %s, %v, want %s", text, err, want)
	}
	var out sample
	if err := Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	in.Tags = []string{}
	if !reflect.DeepEqual(in, out) {
		t.Errorf("Unmarshal = %+v, want %+v", out, in)
	}
}

func TestUnmarshalIsStrict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, pointer string }{
		{"duplicate", `{"name":"a","name":"b"}`, "/name"},
		{"duplicate in any", `{"any":{"x":1,"y":{"z":1,"z":2}}}`, "/any/y/z"},
		{"duplicate by escape", `{"any":{"x":1,"\u0078":1}}`, "/any/x"},
		{"wrong type", `{"tags":["a",7]}`, "/tags/1"},
		{"overflow", `{"n":9223372036854775808}`, "/n"},
		{"fraction", `{"n":1.5}`, "/n"},
		{"bad time", `{"at":"noon"}`, "/at"},
		{"invalid UTF-8", "{\"name\":\"\xff\"}", "/name"},
		{"lone surrogate", `{"name":"\ud800"}`, "/name"},
		{"cut", `{"name":"a"`, ""},
		{"two values", `{} {}`, ""},
		{"empty", ``, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := sample{Name: "before", Tags: []string{"before"}}
			err := Unmarshal([]byte(c.text), &out)
			var own *Error
			if !errors.As(err, &own) {
				t.Fatalf("Unmarshal(%s) error = %v, want an *Error", c.text, err)
			}
			if own.Pointer != c.pointer || own.Problem == "" {
				t.Errorf("Unmarshal(%s) error = %+v, want pointer %q and a problem", c.text, own, c.pointer)
			}
			if out.Name != "before" || len(out.Tags) != 1 || out.Tags[0] != "before" {
				t.Errorf("a failed Unmarshal changed its target: %+v", out)
			}
		})
	}
	if err := Unmarshal[sample]([]byte(`{}`), nil); err == nil {
		t.Error("Unmarshal into nil succeeds")
	}
}

// Names match exactly: "Name" is not "name".
func TestNamesAreExact(t *testing.T) {
	t.Parallel()
	var out sample
	if err := Unmarshal([]byte(`{"name":"ok","Name":"evil","NAME":"evil"}`), &out); err != nil || out.Name != "ok" {
		t.Errorf("Unmarshal = %q, %v, want ok", out.Name, err)
	}
}

func TestUnmarshalCopies(t *testing.T) {
	t.Parallel()
	text := []byte(`{"name":"abcdefgh","any":{"kkkk":"vvvv"},"raw":[1,2]}`)
	var out sample
	if err := Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	for i := range text {
		text[i] = 'X'
	}
	m, _ := out.Any.(map[string]any)
	if out.Name != "abcdefgh" || m["kkkk"] != "vvvv" || string(out.Raw) != "[1,2]" {
		t.Errorf("the result changed with the input: %+v", out)
	}
}

var errRefuse = errors.New("refuses")

type refusing struct{}

func (refusing) MarshalText() ([]byte, error) { return nil, errRefuse }
func (*refusing) UnmarshalText([]byte) error  { return errRefuse }

func TestErrorsOfMethods(t *testing.T) {
	t.Parallel()
	_, err := Marshal(map[string]any{"a": refusing{}})
	if !errors.Is(err, errRefuse) {
		t.Errorf("Marshal error = %v, want to wrap %v", err, errRefuse)
	}
	var out struct{ A refusing }
	if err := Unmarshal([]byte(`{"A":"x"}`), &out); !errors.Is(err, errRefuse) {
		t.Errorf("Unmarshal error = %v, want to wrap %v", err, errRefuse)
	}
	if _, err := Marshal(make(chan int)); err == nil || !strings.Contains(err.Error(), "chan int") {
		t.Errorf("Marshal(chan) error = %v, want one naming the type", err)
	}
}

func TestCompact(t *testing.T) {
	t.Parallel()
	in := []byte("{ \"b\" : [1,\n 2.0 ], \"a\":\"x y\" }")
	got, err := Compact(in)
	if want := `{"b":[1,2.0],"a":"x y"}`; err != nil || string(got) != want {
		t.Errorf("Compact = %s, %v, want %s", got, err, want)
	}
	if _, err := Compact([]byte(`{"a":1,"a":2}`)); err == nil {
		t.Error("Compact accepts a duplicate name")
	}
}

// The v2 package before v0.12.0 accepts malformed input without an error.
func TestSelectedVersion(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "github.com/goccy/go-json").Output()
	if err != nil {
		t.Fatalf("go list -m: %v", err)
	}
	parts := strings.SplitN(strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), ".", 3)
	if len(parts) != 3 {
		t.Fatalf("version %q", out)
	}
	major, _ := strconv.Atoi(parts[0])
	minor, _ := strconv.Atoi(parts[1])
	if major == 0 && minor < 12 {
		t.Errorf("go.mod selects go-json %s, want v0.12.0 or later", out)
	}
}

// FuzzUnmarshal holds the seam against encoding/json: what it accepts, encoding/json accepts with an equal value.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"name":"a","n":1,"tags":["x"],"map":{"k":2},"any":{"x":[1,null,"\u0041"]}}`))
	f.Add([]byte(`{"at":"2026-01-02T03:04:05Z","raw":{"a": 1}}`))
	f.Add([]byte(`{"name":"\ud800"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var got, want any
		if Unmarshal(text, &got) == nil {
			if err := stdjson.Unmarshal(text, &want); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("Unmarshal(%q) = %#v, encoding/json %#v, %v", text, got, want, err)
			}
		}
		var typed sample
		if Unmarshal(text, &typed) != nil {
			return
		}
		if out, err := Marshal(typed); err != nil || !stdjson.Valid(out) {
			t.Fatalf("Marshal(%+v) = %q, %v", typed, out, err)
		}
	})
}
