package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// value is a node and the file it stands in.
type value struct {
	src  *source
	node *yaml.Node
}

// member is one key of a mapping and its value.
type member struct {
	name string
	key  value
	val  value
}

// mapping is a YAML mapping whose keys are known to be distinct.
type mapping struct {
	members []member
	// broken says that it was none; what it lacks is no finding then.
	broken bool
}

func (l *loader) errorf(at value, format string, args ...any) {
	l.found = append(l.found, at.src.diagnostic(at.node.Line, at.node.Column, fmt.Sprintf(format, args...)))
}

// mapping reads a mapping with any keys. It returns an empty one, and reports, when v is something else.
func (l *loader) mapping(v value, what string) *mapping {
	m := new(mapping)
	if v.node.Kind != yaml.MappingNode {
		m.broken = true
		l.errorf(v, "%s must be a mapping", what)
		return m
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key := value{v.src, v.node.Content[i]}
		e := member{name: key.node.Value, key: key, val: value{v.src, v.node.Content[i+1]}}
		switch {
		case key.node.Kind != yaml.ScalarNode || e.name == "":
			l.errorf(key, "a key must be a plain word")
		case m.has(e.name):
			l.errorf(key, "%q stands here twice", e.name)
		default:
			m.members = append(m.members, e)
		}
	}
	return m
}

// record reads a mapping whose keys are among known.
func (l *loader) record(v value, what string, known ...string) *mapping {
	m := l.mapping(v, what)
	for _, e := range m.members {
		if !slices.Contains(known, e.name) {
			l.errorf(e.key, "unknown key %q; %s has %s", e.name, what, strings.Join(known, ", "))
		}
	}
	return m
}

func (m *mapping) get(name string) (value, bool) {
	for _, e := range m.members {
		if e.name == name {
			return e.val, true
		}
	}
	return value{}, false
}

func (m *mapping) has(name string) bool {
	_, ok := m.get(name)
	return ok
}

// text reads a string member; absent is empty.
func (l *loader) text(m *mapping, name string) string {
	v, ok := m.get(name)
	if !ok {
		return ""
	}
	return l.word(v, name)
}

func (l *loader) word(v value, what string) string {
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!str" {
		l.errorf(v, "%s must be a string (quote it)", what)
		return ""
	}
	return v.node.Value
}

func (l *loader) flag(m *mapping, name string) bool {
	v, ok := m.get(name)
	if !ok {
		return false
	}
	// YAML has other words for the two, and tags strings of them as booleans when told to.
	word := v.node.Value
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!bool" || word != "true" && word != "false" {
		l.errorf(v, "%s must be true or false", name)
	}
	return word == "true"
}

func (l *loader) integer(m *mapping, name string) *int64 {
	v, ok := m.get(name)
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(v.node.Value, 10, 64)
	if v.node.Kind != yaml.ScalarNode || err != nil {
		l.errorf(v, "%s must be a whole number%s", name, orLimit(name))
		return nil
	}
	return &n
}

func orLimit(name string) string {
	if name == "default" {
		return ""
	}
	return " or the name of a limit"
}

// items reads a list member; absent is empty.
func (l *loader) items(m *mapping, name string) []value {
	v, ok := m.get(name)
	if !ok {
		return nil
	}
	return l.elements(v, name)
}

func (l *loader) elements(v value, what string) []value {
	if v.node.Kind != yaml.SequenceNode {
		l.errorf(v, "%s must be a list", what)
		return nil
	}
	out := make([]value, 0, len(v.node.Content))
	for _, n := range v.node.Content {
		out = append(out, value{v.src, n})
	}
	return out
}
