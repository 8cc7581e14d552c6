// Package text writes the generated files that are neither Go nor JSON Schema, through the templates of templates/.
//
// The templates only range over what this package makes ready; nothing is decided in them.
package text

import (
	"bytes"
	"fmt"
	"io/fs"
	"text/template"

	"github.com/arcpkit/arcp/gen/ir"
)

// Emit writes the files of p from the templates in tree, in a fixed order.
func Emit(p *ir.Protocol, tree fs.FS) ([]ir.File, error) {
	var out []ir.File
	for _, t := range []struct {
		template, path string
		data           any
	}{
		{"messages.md.tmpl", "docs/messages.md", newReference(p)},
		{"limits.md.tmpl", "docs/limits.md", newLimits(p)},
	} {
		tmpl, err := template.New(t.template).Option("missingkey=error").ParseFS(tree, t.template)
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", t.template, err)
		}
		var b bytes.Buffer
		if err := tmpl.Execute(&b, t.data); err != nil {
			return nil, fmt.Errorf("template %s: %w", t.template, err)
		}
		out = append(out, ir.File{Path: t.path, Data: append(bytes.TrimRight(b.Bytes(), "\n"), '\n')})
	}
	return out, nil
}
