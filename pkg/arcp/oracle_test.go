package arcp_test

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/arcpkit/arcp/bench/shadow"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// FuzzOracle holds Decode against encoding/json with plain tagged structs. What Decode accepts encoding/json accepts, and
// what we then write has for encoding/json the values the frame had: nothing is dropped, and no other spelling of a member
// is taken for it.
func FuzzOracle(f *testing.F) {
	seedVectors(f)
	f.Fuzz(func(t *testing.T, frame []byte) {
		e, err := arcp.Decode(frame)
		if err != nil {
			return
		}
		if !json.Valid(frame) {
			t.Fatalf("Decode accepts %q, which is not JSON", frame)
		}
		kind := ""
		if ev, ok := e.Payload.(*arcp.JobEvent); ok {
			kind = string(ev.Kind)
		}
		read, written := shadow.New(string(e.Type), kind), shadow.New(string(e.Type), kind)
		if read == nil || spelledOtherwise(frame) {
			return
		}
		if err := json.Unmarshal(frame, read); err != nil {
			t.Fatalf("Decode accepts %q, encoding/json says %v", frame, err)
		}
		out, err := e.AppendJSON(nil)
		if err != nil {
			return // a time or number that cannot be written, see FuzzVerdicts
		}
		if err := json.Unmarshal(out, written); err != nil {
			t.Fatalf("we write %q, encoding/json says %v", out, err)
		}
		if path := differ(reflect.ValueOf(read), reflect.ValueOf(written)); path != "" {
			t.Fatalf("%s differs: %q was read, %q written", path, frame, out)
		}
	})
}

// spelledOtherwise says whether a frame uses what plain structs do not know: aliases, and a text for a list of one.
func spelledOtherwise(frame []byte) bool {
	var f struct {
		Payload map[string]json.RawMessage `json:"payload"`
	}
	if json.Unmarshal(frame, &f) != nil {
		return true
	}
	for _, alias := range []string{"client_name", "client_version", "resume_token", "last_event_seq", "token", "resume", "filter"} {
		if _, ok := f.Payload[alias]; ok {
			return true
		}
	}
	return false
}

// differ returns where two values differ, empty for nowhere. Absent and empty are one; so are equal moments, and numbers of
// equal value.
func differ(a, b reflect.Value) string {
	if a.Kind() == reflect.Pointer {
		if a.IsNil() || b.IsNil() {
			return nilness(a, b)
		}
		return differ(a.Elem(), b.Elem())
	}
	switch x := a.Interface().(type) {
	case time.Time:
		return unless(x.Equal(b.Interface().(time.Time)))
	case json.Number:
		return unless(sameNumber(string(x), b.String()))
	case json.RawMessage:
		return unless(strings.TrimSpace(string(x)) == string(b.Bytes()) || string(x) == "null" && b.Len() == 0)
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if at := differ(a.Field(i), b.Field(i)); at != "" {
				return a.Type().Field(i).Name + " " + at
			}
		}
		return ""
	case reflect.Slice:
		for i := range min(a.Len(), b.Len()) {
			if at := differ(a.Index(i), b.Index(i)); at != "" {
				return at
			}
		}
		return unless(a.Len() == b.Len())
	case reflect.Map:
		for _, key := range a.MapKeys() {
			if !b.MapIndex(key).IsValid() || differ(a.MapIndex(key), b.MapIndex(key)) != "" {
				return key.String()
			}
		}
		return unless(a.Len() == b.Len())
	default:
		return unless(a.Equal(b))
	}
}

func nilness(a, b reflect.Value) string { return unless(a.IsNil() == b.IsNil()) }

func unless(same bool) string {
	if same {
		return ""
	}
	return "value"
}

func sameNumber(a, b string) bool {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return a == b || okX && okY && x.Cmp(y) == 0
}
