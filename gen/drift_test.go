package gen_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/arcpkit/arcp/gen"
	"github.com/arcpkit/arcp/gen/spec"
)

// edited is a tree with some files replaced.
type edited struct {
	fs.FS
	files fstest.MapFS
}

func (e edited) Open(name string) (fs.File, error) {
	if _, ok := e.files[name]; ok {
		return e.files.Open(name)
	}
	return e.FS.Open(name)
}

// edit returns the repository with one line of a spec file replaced; the line is found by what it contains.
func edit(t *testing.T, path, line, with string) fs.FS {
	t.Helper()
	tree := os.DirFS("..")
	text, err := fs.ReadFile(tree, path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	i := slices.IndexFunc(lines, func(l []byte) bool { return bytes.Contains(l, []byte(line)) })
	if i < 0 {
		t.Fatalf("%s has no line with %q", path, line)
	}
	lines[i] = []byte(with)
	return edited{FS: tree, files: fstest.MapFS{path: {Data: bytes.Join(lines, nil)}}}
}

// A change of the spec that is not followed by a generator run is found in every artifact it concerns.
func TestCheckFindsDrift(t *testing.T) {
	t.Parallel()
	const field = `      idempotency_key: {type: idempotency_key,`
	for _, c := range []struct {
		name, path, line, with string
		want                   []string
	}{
		{"a field deleted", "spec/job.yaml", field, "", []string{
			"stale: pkg/arcp/job_gen.go", "stale: pkg/arcp/job_codec_gen.go", "stale: docs/messages.md",
			"stale: docs/schema/messages/job.submit.json", "stale: testdata/vectors/job.submit.json",
		}},
		{"a type changed", "spec/event.yaml", `      more: {type: bool,`, "      more: {type: string, doc: Changed.}\n", []string{
			"stale: pkg/arcp/event_codec_gen.go", "stale: docs/messages.md",
			"stale: docs/schema/events/result_chunk.json", "stale: testdata/vectors/event.result_chunk.json",
		}},
		{"a message renamed", "spec/session.yaml", "  session.ack:", "  session.nod:\n", []string{
			"missing: docs/schema/messages/session.nod.json", "orphaned: docs/schema/messages/session.ack.json",
			"missing: testdata/vectors/session.nod.json", "orphaned: testdata/vectors/session.ack.json",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found, err := gen.Check(edit(t, c.path, c.line, c.with))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, f.String())
			}
			for _, want := range c.want {
				if !slices.Contains(got, want) {
					t.Errorf("Check finds\n%s\nwithout %q", strings.Join(got, "\n"), want)
				}
			}
		})
	}
}

// A spec that means nothing is no drift: the error is about the spec.
func TestCheckRefusesBrokenSpec(t *testing.T) {
	t.Parallel()
	_, err := gen.Check(edit(t, "spec/job.yaml", `      agent: {type: agent_ref, required: true,`, "      agent: {type: nothing, doc: Gone.}\n"))
	var broken spec.Error
	if !errors.As(err, &broken) || !strings.Contains(err.Error(), "spec/job.yaml:") || !strings.Contains(err.Error(), `"nothing"`) {
		t.Errorf("Check error = %v, want the place and the name of the type that is not there", err)
	}
}
