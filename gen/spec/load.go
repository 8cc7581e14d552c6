package spec

import (
	"io/fs"
	"regexp"
	"strings"

	"github.com/arcpkit/arcp/gen/ir"
)

// loader builds a protocol in two passes: first every name is known, then what names refer to.
type loader struct {
	sources     []*source
	found       Error
	protocol    *ir.Protocol
	initialisms map[string]bool
	idents      map[string]value

	features map[string]*ir.Feature
	scalars  map[string]*ir.Scalar
	enums    map[string]*ir.Enum
	objects  map[string]*ir.Object
	messages map[string]*ir.Message
	// Where things stand that are checked last.
	envelopeAt value
	objectAt   map[*ir.Object]value
	// later runs in the second pass, in the order entries were read.
	later []func()
}

// sections are the keys a spec file may have, and what reads each. Features and limits come
// first: what follows may name them.
func (l *loader) sections() []section {
	return []section{
		{"protocol", l.readProtocol},
		{"initialisms", l.readInitialisms},
		{"features", l.readFeatures},
		{"constants", l.readConstants},
		{"limits", l.readLimits},
		{"scalars", l.readScalars},
		{"enums", l.readEnums},
		{"codes", l.readCodes},
		{"objects", l.readObjects},
		{"envelope", l.readEnvelope},
		{"messages", l.readMessages},
		{"kinds", l.readKinds},
	}
}

type section struct {
	name string
	read func(value)
}

// Load reads the *.yaml files of dir in tree. An error about the spec is an Error; others come from tree.
func Load(tree fs.FS, dir string) (*ir.Protocol, error) {
	sources, found, err := readSources(tree, dir)
	if err != nil {
		return nil, err
	}
	l := &loader{
		sources: sources, found: found, protocol: &ir.Protocol{Digest: digest(sources)},
		initialisms: map[string]bool{}, idents: map[string]value{},
		features: map[string]*ir.Feature{}, scalars: map[string]*ir.Scalar{}, enums: map[string]*ir.Enum{},
		objects: map[string]*ir.Object{}, objectAt: map[*ir.Object]value{}, messages: map[string]*ir.Message{},
	}
	// A file that does not parse hides names; complaints about their absence would only mislead.
	if len(found) == 0 {
		l.read()
	}
	if len(l.found) > 0 {
		return nil, l.found.sorted()
	}
	return l.protocol, nil
}

func (l *loader) read() {
	sections := l.sections()
	var known []string
	for _, s := range sections {
		known = append(known, s.name)
	}
	roots := make([]*mapping, len(l.sources))
	for i, src := range l.sources {
		roots[i] = l.record(value{src, src.root}, "a spec file", known...)
		l.protocol.Files = append(l.protocol.Files, src.base())
	}
	for i, s := range sections {
		if s.name == "messages" {
			l.tableEnums()
		}
		for _, root := range roots {
			if v, ok := root.get(sections[i].name); ok {
				s.read(v)
			}
		}
	}
	// What runs later may add to what runs later.
	for i := 0; i < len(l.later); i++ {
		l.later[i]()
	}
	l.checkWhole()
}

func (l *loader) readProtocol(v value) {
	m := l.record(v, "protocol", "name", "version", "draft")
	l.protocol.Name, l.protocol.Version, l.protocol.Draft = l.text(m, "name"), l.text(m, "version"), l.text(m, "draft")
	if l.protocol.Name == "" || l.protocol.Version == "" {
		l.errorf(v, "protocol needs a name and a version")
	}
}

func (l *loader) readInitialisms(v value) {
	for _, e := range l.elements(v, "initialisms") {
		l.initialisms[l.word(e, "an initialism")] = true
	}
}

func sectionNumber() *regexp.Regexp { return regexp.MustCompile(`^[0-9]+(\.[0-9]+)*$`) }

// meta reads what every entry has. An entry of a table must say which section of the draft it comes from, or that the
// draft has none.
func (l *loader) meta(e member, m *mapping, needSection bool) ir.Meta {
	meta := ir.Meta{
		Doc: l.text(m, "doc"), Section: l.text(m, "section"), Ours: l.flag(m, "ours"),
		File: e.key.src.base(), Line: e.key.node.Line,
	}
	if m.broken {
		return meta
	}
	switch {
	case meta.Doc == "":
		l.errorf(e.key, "%s has no doc", e.name)
	case !strings.HasSuffix(meta.Doc, "."):
		v, _ := m.get("doc")
		l.errorf(v, "the doc of %s must end with a full stop", e.name)
	}
	if meta.Section != "" && !sectionNumber().MatchString(meta.Section) {
		v, _ := m.get("section")
		l.errorf(v, "section must be a number like 6.4")
	}
	if needSection && meta.Section == "" && !meta.Ours {
		l.errorf(e.key, "%s has no section; where the draft is silent write ours: true", e.name)
	}
	return meta
}

// name checks an entry's wire name.
func (l *loader) name(e member) ir.Name {
	if !wireName(e.name) {
		l.errorf(e.key, "%q cannot be a name", e.name)
		return ir.Name{Wire: e.name, Go: "X"}
	}
	return ir.Name{Wire: e.name, Go: l.goName(e.name)}
}

// feature resolves the member feature.
func (l *loader) feature(m *mapping) *ir.Feature {
	v, ok := m.get("feature")
	if !ok {
		return nil
	}
	f := l.features[v.node.Value]
	if f == nil {
		l.errorf(v, "there is no feature %q", v.node.Value)
	}
	return f
}
