package arcp_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/arcpkit/arcp/pkg/arcp"
)

const vectorDir = "../../testdata/vectors"

// vector is one frame and what becomes of it; testdata/vectors/README.md says what the members mean.
type vector struct {
	Name     string          `json:"name"`
	Valid    bool            `json:"valid"`
	Layers   []string        `json:"layers"`
	Frame    json.RawMessage `json:"frame"`
	FrameB64 string          `json:"frame_b64"`
}

func (v vector) bytes(t *testing.T) []byte {
	t.Helper()
	if v.FrameB64 == "" {
		return v.Frame
	}
	frame, err := base64.StdEncoding.DecodeString(v.FrameB64)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

func (v vector) judges(layer string) bool {
	return len(v.Layers) == 0 || slices.Contains(v.Layers, layer)
}

func vectorFiles(t *testing.T) map[string][]vector {
	t.Helper()
	paths, err := filepath.Glob(vectorDir + "/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors in %s: %v", vectorDir, err)
	}
	files := map[string][]vector{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Vectors []vector `json:"vectors"`
		}
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		files[strings.TrimSuffix(filepath.Base(path), ".json")] = file.Vectors
	}
	return files
}

// envelopeSchema compiles the generated schema, formats asserted, from the files alone.
func envelopeSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile("../../docs/schema/envelope.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func schemaError(t *testing.T, s *jsonschema.Schema, frame []byte) error {
	t.Helper()
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(frame))
	if err != nil {
		t.Fatalf("the frame is no JSON for the schema validator: %v", err)
	}
	return s.Validate(instance)
}

// TestVectors holds Decode, Validate and the generated schema to one verdict.
func TestVectors(t *testing.T) {
	t.Parallel()
	schema := envelopeSchema(t)
	for file, vectors := range vectorFiles(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			names := map[string]bool{}
			for _, v := range vectors {
				if names[v.Name] {
					t.Errorf("two vectors are named %q", v.Name)
				}
				names[v.Name] = true
				if v.Valid {
					judgeValid(t, schema, v)
				} else {
					judgeInvalid(t, schema, v)
				}
			}
		})
	}
}

func judgeValid(t *testing.T, schema *jsonschema.Schema, v vector) {
	t.Helper()
	frame := v.bytes(t)
	e, err := arcp.Decode(frame)
	if err != nil {
		t.Errorf("%s: Decode(%s) = %v", v.Name, frame, err)
		return
	}
	if err := e.Validate(); err != nil && v.judges("validate") {
		t.Errorf("%s: Validate(%s) = %v", v.Name, frame, err)
	}
	if !v.judges("schema") {
		return
	}
	if err := schemaError(t, schema, frame); err != nil {
		t.Errorf("%s: schema(%s) = %v", v.Name, frame, err)
	}
	out, err := e.AppendJSON(nil)
	if err != nil {
		t.Errorf("%s: AppendJSON = %v", v.Name, err)
		return
	}
	if err := schemaError(t, schema, out); err != nil {
		t.Errorf("%s: schema of our own rendering %s = %v", v.Name, out, err)
	}
	again, err := arcp.Decode(out)
	if err != nil {
		t.Errorf("%s: Decode of our own rendering %s = %v", v.Name, out, err)
		return
	}
	if twice, err := again.AppendJSON(nil); err != nil || !bytes.Equal(out, twice) {
		t.Errorf("%s: rendered %s, read back and rendered %s, %v", v.Name, out, twice, err)
	}
}

func judgeInvalid(t *testing.T, schema *jsonschema.Schema, v vector) {
	t.Helper()
	frame := v.bytes(t)
	e, decodeErr := arcp.Decode(frame)
	var validateErr error
	if decodeErr == nil {
		validateErr = e.Validate()
	}
	switch {
	case len(v.Layers) == 0:
		if decodeErr == nil && validateErr == nil {
			t.Errorf("%s: neither Decode nor Validate refuses %s", v.Name, frame)
		}
	case v.judges("decode") && decodeErr == nil:
		t.Errorf("%s: Decode accepts %s", v.Name, frame)
	case v.judges("validate") && decodeErr != nil:
		t.Errorf("%s: Decode(%s) = %v, want Validate to refuse it", v.Name, frame, decodeErr)
	case v.judges("validate") && validateErr == nil:
		t.Errorf("%s: Validate accepts %s", v.Name, frame)
	}
	if v.judges("schema") && schemaError(t, schema, frame) == nil {
		t.Errorf("%s: the schema accepts %s", v.Name, frame)
	}
}

// Every message type and event kind has vectors that pass and vectors that fail in each layer that can judge them.
func TestVectorsCoverTheProtocol(t *testing.T) {
	t.Parallel()
	files := vectorFiles(t)
	var want []string
	for _, m := range arcp.MessageTypes() {
		want = append(want, string(m))
	}
	for _, k := range arcp.EventKinds() {
		want = append(want, "event."+string(k))
	}
	for _, name := range want {
		valid, invalid := 0, 0
		for _, v := range files[name] {
			if v.Valid {
				valid++
			} else {
				invalid++
			}
		}
		if valid < 4 || invalid < 1 {
			t.Errorf("%s has %d valid and %d invalid vectors", name, valid, invalid)
		}
	}
}
