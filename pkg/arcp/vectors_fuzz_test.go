package arcp_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// FuzzVerdicts holds the layers against each other on any text. What Decode accepts, encoding/json accepts; what Validate
// accepts besides, we can write; what we write of a known type, the schema accepts, Decode reads, and writes the same.
func FuzzVerdicts(f *testing.F) {
	seedVectors(f)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("../../docs/schema/envelope.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		e, err := arcp.Decode(frame)
		if err != nil {
			return
		}
		var std map[string]any
		if err := json.Unmarshal(frame, &std); err != nil {
			t.Fatalf("Decode accepts %q, encoding/json says %v", frame, err)
		}
		if id, _ := std["id"].(string); id != e.ID {
			t.Fatalf("Decode(%q) gives the id %q, encoding/json %q", frame, e.ID, id)
		}
		if e.Validate() != nil {
			return
		}
		out, err := e.AppendJSON(nil)
		if err != nil {
			t.Fatalf("Decode and Validate accept %q, AppendJSON says %v", frame, err)
		}
		if _, unknown := e.Payload.(*arcp.UnknownMessage); unknown {
			if !bytes.Equal(out, frame) {
				t.Fatalf("a message of an unknown type is written %q, was read %q", out, frame)
			}
			return
		}
		again, err := arcp.Decode(out)
		if err != nil {
			t.Fatalf("we write %q of %q and do not read it: %v", out, frame, err)
		}
		if twice, err := again.AppendJSON(nil); err != nil || !bytes.Equal(out, twice) {
			t.Fatalf("we write %q, then %q, %v", out, twice, err)
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance); err != nil {
			t.Fatalf("we write %q of %q, the schema says %v", out, frame, err)
		}
	})
}

// FuzzReuse holds DecodeFrom into a used envelope against Decode: nothing of the frame before shows through.
func FuzzReuse(f *testing.F) {
	seedVectors(f)
	used := []byte(`{"arcp":"1.1","type":"job.event","session_id":"s","event_seq":3,"id":"i","job_id":"j","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",` +
		`"payload":{"kind":"status","ts":"2026-11-24T12:00:00Z","body":{"phase":"p","message":"m","details":{"a":1},"id":"c","value":"v"}},"extensions":{"x-vendor.a.b":1}}`)
	f.Fuzz(func(t *testing.T, frame []byte) {
		fresh, err := arcp.Decode(frame)
		reused, errUsed := arcp.Decode(used)
		if errUsed != nil {
			t.Fatal(errUsed)
		}
		err2 := reused.DecodeFrom(bytes.Clone(frame))
		if (err == nil) != (err2 == nil) {
			t.Fatalf("Decode(%q) = %v, DecodeFrom into a used envelope = %v", frame, err, err2)
		}
		if err == nil && !reflect.DeepEqual(fresh, reused) {
			t.Fatalf("Decode(%q) = %+v, DecodeFrom into a used envelope = %+v", frame, fresh, reused)
		}
	})
}

func seedVectors(f *testing.F) {
	f.Helper()
	paths, err := filepath.Glob(vectorDir + "/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var file struct {
			Vectors []vector `json:"vectors"`
		}
		if err := json.Unmarshal(text, &file); err != nil {
			f.Fatal(err)
		}
		for _, v := range file.Vectors {
			if len(v.Frame) > 0 {
				f.Add([]byte(v.Frame))
			}
		}
	}
}
