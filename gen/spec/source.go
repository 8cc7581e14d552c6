package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// source is one spec file.
type source struct {
	name  string // path within the tree given to Load
	text  []byte
	lines []string
	root  *yaml.Node
}

func (s *source) base() string { return path.Base(s.name) }

func (s *source) diagnostic(line, column int, message string) Diagnostic {
	d := Diagnostic{File: s.name, Line: line, Column: column, Message: message}
	if line >= 1 && line <= len(s.lines) {
		d.Source = s.lines[line-1]
	}
	return d
}

// readingOrder puts the files of the protocol into the order documents show them in; others follow by name.
func readingOrder(name string) int {
	order := []string{"arcp.yaml", "types.yaml", "envelope.yaml", "session.yaml", "job.yaml", "event.yaml", "error.yaml", "limits.yaml"}
	if i := slices.Index(order, path.Base(name)); i >= 0 {
		return i
	}
	return len(order)
}

func readSources(tree fs.FS, dir string) ([]*source, Error, error) {
	names, err := fs.Glob(tree, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(names, func(a, b string) int { return readingOrder(a) - readingOrder(b) })
	var sources []*source
	var found Error
	for _, name := range names {
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, nil, err
		}
		s := &source{name: name, text: text, lines: strings.Split(string(text), "\n")}
		if d, ok := s.parse(); !ok {
			found = append(found, d)
			continue
		}
		sources = append(sources, s)
	}
	if len(names) == 0 {
		found = append(found, Diagnostic{File: dir, Message: "no spec files (*.yaml)"})
	}
	return sources, found, nil
}

func (s *source) parse() (Diagnostic, bool) {
	var doc yaml.Node
	err := yaml.Load(s.text, &doc)
	var syntax *yaml.LoadError
	switch {
	case errors.As(err, &syntax):
		return s.diagnostic(syntax.Mark.Line, syntax.Mark.Column, syntax.Message), false
	case err != nil:
		return s.diagnostic(0, 0, err.Error()), false
	case doc.Kind != yaml.DocumentNode || len(doc.Content) != 1:
		return s.diagnostic(1, 1, "one YAML document expected"), false
	}
	s.root = doc.Content[0]
	return Diagnostic{}, true
}

// digest covers names and texts, so that any change of the spec changes it.
func digest(sources []*source) string {
	h := sha256.New()
	for _, s := range sources {
		h.Write([]byte(s.base()))
		h.Write([]byte{0})
		h.Write(s.text)
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}
