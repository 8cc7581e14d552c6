package text

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/arcpkit/arcp/gen/ir"
	"github.com/arcpkit/arcp/gen/spec"
	"github.com/arcpkit/arcp/templates"
)

func page(t *testing.T) (*ir.Protocol, string) {
	t.Helper()
	p, err := spec.Load(os.DirFS("../.."), "spec")
	if err != nil {
		t.Fatal(err)
	}
	files, err := Emit(p, templates.FS)
	if err != nil || len(files) != 2 || files[0].Path != "docs/messages.md" {
		t.Fatalf("Emit = %d files, %v, want docs/messages.md", len(files), err)
	}
	return p, string(files[0].Data)
}

// Every entry of the spec stands in the page with its documentation.
func TestReferenceIsComplete(t *testing.T) {
	t.Parallel()
	p, text := page(t)
	want := func(pieces ...string) {
		if s := strings.Join(pieces, ""); !strings.Contains(text, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
	objects := append([]*ir.Object(nil), p.Objects...)
	for _, m := range p.Messages {
		objects = append(objects, &m.Object)
	}
	for _, k := range p.Kinds {
		objects = append(objects, &k.Object)
	}
	for _, o := range objects {
		want("### ", o.Wire, "\n\n", o.Doc)
		for _, f := range o.Fields {
			want("| `", f.Wire, "` | ", typeOf(f), " | ", presence(f), " | ", cell(f.Doc))
		}
	}
	for _, c := range p.Codes {
		want("| `", c.Wire, "` | ", yes(c.Retryable), " | ", cell(c.Doc))
	}
	for _, f := range p.Features {
		want("| `", f.Wire, "` | ", cell(f.Doc))
	}
	for _, l := range p.Limits {
		want("| `", l.Wire, "` | ", decimal(l.Default))
	}
	for _, e := range p.Enums {
		for _, v := range e.Values {
			want("| `", v.Wire, "` | ", cell(v.Doc))
		}
	}
}

// Every link of the page leads to a heading or an anchor of it, and every table row has as many cells as its head.
func TestReferenceIsSound(t *testing.T) {
	t.Parallel()
	_, text := page(t)
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		anchors[strings.ReplaceAll(anchor(m[1]), " ", "-")] = true
	}
	for _, m := range regexp.MustCompile(`<a id="([^"]+)">`).FindAllStringSubmatch(text, -1) {
		anchors[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		if !anchors[m[1]] {
			t.Errorf("a link leads to #%s, which is not there", m[1])
		}
	}
	cells := 0
	for line := range strings.SplitSeq(text, "\n") {
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		switch {
		case n == 0:
			cells = 0
		case cells == 0:
			cells = n
		case n != cells:
			t.Errorf("a row of %d bars in a table of %d: %s", n, cells, line)
		}
	}
	if strings.Contains(text, "<no value>") {
		t.Error("a template asks for what is not there")
	}
}

func TestRuleText(t *testing.T) {
	t.Parallel()
	n := func(i int64) *int64 { return &i }
	for _, c := range []struct {
		base ir.Base
		r    ir.Rules
		want string
	}{
		{ir.String, ir.Rules{}, ""},
		{ir.String, ir.Rules{Min: n(1), Max: n(8)}, ", 1..8 bytes"},
		{ir.String, ir.Rules{Max: n(8), Pattern: "^(a|b)$"}, ", at most 8 bytes, `^(a\\|b)$`"},
		{ir.Uint, ir.Rules{}, ", at least 0"},
		{ir.Uint, ir.Rules{Min: n(1)}, ", at least 1"},
		{ir.String, ir.Rules{Min: n(1)}, ", at least 1 byte"},
		{ir.List, ir.Rules{Min: n(1)}, ", at least 1 entry"},
		{ir.Float, ir.Rules{Min: n(0), ExclusMin: true, Max: n(9)}, ", more than 0, at most 9"},
		{ir.Time, ir.Rules{UTC: true}, ", in UTC"},
		{ir.List, ir.Rules{Min: n(2)}, ", at least 2 entries"},
	} {
		if got := ruleText(c.base, c.r); got != c.want {
			t.Errorf("ruleText(%v, %+v) = %q, want %q", c.base, c.r, got, c.want)
		}
	}
}

func TestEmitNamesTheTemplate(t *testing.T) {
	t.Parallel()
	p := &ir.Protocol{Envelope: &ir.Envelope{}}
	for name, source := range map[string]string{"broken": "{{range}}", "asking too much": "{{.Nothing}}"} {
		tree := fstest.MapFS{"messages.md.tmpl": {Data: []byte(source)}}
		if _, err := Emit(p, tree); err == nil || !strings.Contains(err.Error(), "messages.md.tmpl") {
			t.Errorf("%s: Emit error = %v, want one naming the template", name, err)
		}
	}
}
