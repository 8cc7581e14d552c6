package schema

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/arcpkit/arcp/gen/ir"
	"github.com/arcpkit/arcp/gen/spec"
)

func num(n int64) *int64 { return &n }

func field(wire string, base ir.Base, edit ...func(*ir.Field)) *ir.Field {
	f := &ir.Field{Name: ir.Name{Wire: wire}, Meta: ir.Meta{Doc: "Doc of " + wire + "."}, Type: &ir.Type{Base: base}}
	for _, e := range edit {
		e(f)
	}
	return f
}

func required(f *ir.Field) { f.Required = true }

// mini is a protocol with one message that uses every way a member can be described.
func mini() *ir.Protocol {
	color := &ir.Enum{Name: ir.Name{Wire: "color"}, Values: []*ir.Value{{Wire: "red"}, {Wire: "blue"}}}
	inner := &ir.Object{Name: ir.Name{Wire: "inner"}, Fields: []*ir.Field{
		field("n", ir.Uint, required, func(f *ir.Field) { f.Rules = ir.Rules{Min: num(1), Max: num(9)} }),
	}}
	message := &ir.Message{From: ir.FromClient, Object: ir.Object{Name: ir.Name{Wire: "m"}, Meta: ir.Meta{Doc: "A message.", Section: "1"}}}
	message.Fields = []*ir.Field{
		field("s", ir.String, required, func(f *ir.Field) { f.Rules = ir.Rules{Min: num(2), Max: num(3), Pattern: "^[a-z<>&]+$"} }),
		field("opt", ir.Bool),
		field("t", ir.Time, func(f *ir.Field) { f.Rules.UTC = true }),
		field("above", ir.Float, func(f *ir.Field) { f.Rules = ir.Rules{Min: num(0), ExclusMin: true} }),
		field("any", ir.Any),
		field("color", ir.EnumBase, func(f *ir.Field) { f.Type.Enum = color }),
		field("only", ir.EnumBase, func(f *ir.Field) { f.Type.Enum, f.OneOf = color, color.Values[:1] }),
		field("in", ir.ObjectRef, func(f *ir.Field) { f.Type.Object = inner }),
		field("lone", ir.List, func(f *ir.Field) { f.Lone, f.Type.Elem = true, &ir.Type{Base: ir.String} }),
		field("lease", ir.Lease),
		field("written", ir.String, func(f *ir.Field) { f.Written = true }),
		field("x", ir.Int), field("y", ir.Any),
		field("p", ir.String), field("q", ir.String),
	}
	message.AtMostOneOf = [][]*ir.Field{{message.Field("x"), message.Field("y")}}
	message.ExactlyOneOf = [][]*ir.Field{{message.Field("p"), message.Field("q")}}
	message.Aliases = []*ir.Alias{
		{Wire: "string", Path: []*ir.Field{message.Field("s")}},
		{Wire: "n", Path: []*ir.Field{message.Field("in"), inner.Field("n")}},
	}
	return &ir.Protocol{
		Name: "MINI", Version: "1", Enums: []*ir.Enum{color}, Objects: []*ir.Object{inner}, Messages: []*ir.Message{message},
		Envelope:  &ir.Envelope{Fields: []*ir.Field{field("type", ir.String, required), field("payload", ir.Payload, required)}},
		Constants: []*ir.ConstantGroup{{List: "ReservedNamespaces", Values: []*ir.Constant{{Value: "fs.read"}}}, {Values: []*ir.Constant{{Const: "VendorPrefix", Value: "x-v."}}}},
	}
}

// compile compiles an emitted file with nothing but the emitted files within reach.
func compile(t *testing.T, files []ir.File, path string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, f := range files {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(f.Data))
		if err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
		if err := c.AddResource("mem:///"+f.Path, doc); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("mem:///" + path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return s
}

func TestMessageSchema(t *testing.T) {
	t.Parallel()
	files, err := Emit(mini())
	if err != nil {
		t.Fatal(err)
	}
	s := compile(t, files, "docs/schema/messages/m.json")
	for _, c := range []struct {
		members string
		ok      bool
	}{
		{``, true},
		{`"unknown":[1]`, true},
		{`"s":"a"`, false},
		{`"s":"abcd"`, false},
		{`"s":"ABC"`, false},
		{`"s":7`, false},
		{`"s":null`, false},
		{`"s":"<&>"`, true},
		{`"opt":null`, true},
		{`"opt":1`, false},
		{`"t":"2026-01-02T03:04:05Z"`, true},
		{`"t":"2026-01-02T03:04:05+01:00"`, false},
		{`"t":"noon"`, false},
		{`"t":null`, true},
		{`"above":0.1`, true},
		{`"above":0`, false},
		{`"any":null`, true},
		{`"color":"red"`, true},
		{`"color":"green"`, false},
		{`"color":null`, true},
		{`"only":"red"`, true},
		{`"only":"blue"`, false},
		{`"in":{"n":9}`, true},
		{`"in":{"n":0}`, false},
		{`"in":{"n":10}`, false},
		{`"in":{}`, false},
		{`"in":null`, true},
		{`"lone":["a"]`, true},
		{`"lone":"a"`, true},
		{`"lone":[1]`, false},
		{`"lone":1`, false},
		{`"lease":{"fs.read":["/w"]}`, true},
		{`"lease":{"x-v.a.b":[]}`, true},
		{`"lease":{"x-v.a":[]}`, false},
		{`"lease":{"fs.erase":[]}`, false},
		{`"written":""`, true},
		{`"written":null`, false},
		{`"x":1`, true},
		{`"y":null`, true},
		{`"x":1,"y":null`, false},
		{`"x":null,"y":1`, true},
		{`"x":9223372036854775807`, true},
		{`"x":9223372036854775808`, false},
		{`"x":1.5`, false},
		{`"q":null`, true},
		{`"q":"b"`, false},
		{`"p":null`, false},
		{`"p":null,"q":"b"`, true},
	} {
		// Members given win over those of a valid message.
		doc := map[string]json.RawMessage{}
		for _, text := range []string{`{"s":"ab","written":"w","p":"a"}`, `{` + c.members + `}`} {
			if err := json.Unmarshal([]byte(text), &doc); err != nil {
				t.Fatal(err)
			}
		}
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		judge(t, s, string(text), c.ok)
	}
	for text, ok := range map[string]bool{
		`{"written":"w","p":"a"}`:                false,
		`{"string":"ab","written":"w","p":"a"}`:  true,
		`{"s":"ab","p":"a"}`:                     false,
		`{"s":"ab","written":"w"}`:               false,
		`{"s":"ab","written":"w","p":"a","n":3}`: true,
		`{"s":"ab","written":"w","p":"a","n":0}`: false,
		`[]`:                                     false,
	} {
		judge(t, s, text, ok)
	}
	envelope := compile(t, files, "docs/schema/envelope.json")
	judge(t, envelope, `{"type":"m","payload":{"s":"ab","written":"w","p":"a"}}`, true)
	judge(t, envelope, `{"type":"m","payload":{}}`, false)
	judge(t, envelope, `{"type":"other","payload":{}}`, true)
	judge(t, envelope, `{"type":"other","payload":[]}`, false)
}

func judge(t *testing.T, s *jsonschema.Schema, text string, ok bool) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); (err == nil) != ok {
		t.Errorf("schema(%s) = %v, want ok %v", text, err, ok)
	}
}

// Every emitted file of the real protocol compiles, says what it was made from and describes its members.
func TestRealProtocol(t *testing.T) {
	t.Parallel()
	p, err := spec.Load(os.DirFS("../.."), "spec")
	if err != nil {
		t.Fatal(err)
	}
	files, err := Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 + len(p.Messages) + len(p.Kinds); len(files) != want {
		t.Errorf("Emit gives %d files, want %d", len(files), want)
	}
	for _, f := range files {
		compile(t, files, f.Path)
		if !bytes.HasPrefix(f.Data, []byte(`{"$comment": "Code generated by arcpgen from spec`)) {
			t.Errorf("%s does not begin with the header", f.Path)
		}
		var doc struct {
			Title      string
			Properties map[string]struct{ Description string }
		}
		if err := json.Unmarshal(f.Data, &doc); err != nil || doc.Title == "" {
			t.Errorf("%s: title %q, %v", f.Path, doc.Title, err)
		}
		for name, p := range doc.Properties {
			if p.Description == "" {
				t.Errorf("%s: %s has no description", f.Path, name)
			}
		}
	}
}
