package spec

import (
	"strings"

	"github.com/arcpkit/arcp/gen/ir"
)

func (l *loader) readFeatures(v value) {
	for _, e := range l.mapping(v, "features").members {
		m := l.record(e.val, "a feature", "doc", "section", "ours")
		f := &ir.Feature{Meta: l.meta(e, m, true), Name: l.name(e)}
		f.Const = "Feature" + f.Go
		if l.features[e.name] != nil {
			l.errorf(e.key, "feature %q stands twice", e.name)
			continue
		}
		l.claim(f.Const, e.key)
		l.features[e.name] = f
		l.protocol.Features = append(l.protocol.Features, f)
	}
}

func (l *loader) readCodes(v value) {
	for _, e := range l.mapping(v, "codes").members {
		m := l.record(e.val, "a code", "doc", "section", "ours", "retryable", "draft")
		c := &ir.Code{Meta: l.meta(e, m, true), Name: l.name(e), Retryable: l.flag(m, "retryable")}
		c.Const = "Code" + c.Go
		l.claim(c.Const, e.key)
		c.Draft = l.draftCode(m)
		l.protocol.Codes = append(l.protocol.Codes, c)
	}
}

// draftCode finds the code that stands for another with peers of the draft; it must stand before it and be the draft's own.
func (l *loader) draftCode(m *mapping) *ir.Code {
	v, ok := m.get("draft")
	if !ok {
		return nil
	}
	name := l.word(v, "draft")
	for _, c := range l.protocol.Codes {
		if c.Wire == name && c.Draft == nil {
			return c
		}
	}
	if name != "" {
		l.errorf(v, "%q is no code of the draft that stands above", name)
	}
	return nil
}

func (l *loader) readLimits(v value) {
	for _, e := range l.mapping(v, "limits").members {
		m := l.record(e.val, "a limit", "doc", "section", "ours", "unit", "default", "group", "negative")
		x := &ir.Limit{Meta: l.meta(e, m, true), Name: l.name(e), Unit: l.text(m, "unit"), Group: l.text(m, "group"), Negative: l.text(m, "negative")}
		x.Const = "Limit" + x.Go
		if m.broken {
			continue
		}
		if n := l.integer(m, "default"); n != nil && *n > 0 {
			x.Default = *n
		} else {
			l.errorf(e.key, "limit %s needs a default above 0", e.name)
		}
		switch x.Unit {
		case "bytes", "seconds", "count", "levels", "digits", "characters":
		default:
			l.errorf(e.key, "limit %s needs a unit: bytes, seconds, count, levels, digits or characters", e.name)
		}
		switch {
		case x.Group != "":
			bare := strings.TrimSuffix(e.name, "_sec")
			x.Field, x.Flag = l.goName(bare), strings.ReplaceAll(bare, "_", "-")
		case x.Negative != "":
			l.errorf(e.key, "limit %s has no group: nobody sets it to a negative value", e.name)
		}
		l.claim(x.Const, e.key)
		l.protocol.Limits = append(l.protocol.Limits, x)
	}
}

func (l *loader) readConstants(v value) {
	for _, e := range l.mapping(v, "constants").members {
		m := l.record(e.val, "a group of constants", "doc", "section", "ours", "prefix", "list", "values")
		g := &ir.ConstantGroup{Meta: l.meta(e, m, true), Name: l.name(e), List: l.text(m, "list")}
		if g.List != "" {
			l.claim(g.List, e.key)
		}
		prefix := l.text(m, "prefix")
		values, ok := m.get("values")
		if !ok {
			l.errorf(e.key, "%s has no values", e.name)
			continue
		}
		for _, c := range l.mapping(values, "values").members {
			r := l.record(c.val, "a constant", "value", "doc")
			k := &ir.Constant{Doc: l.text(r, "doc"), Const: prefix + c.name, Value: l.text(r, "value")}
			if k.Doc == "" || k.Value == "" {
				l.errorf(c.key, "constant %s needs a value and a doc", c.name)
			}
			l.claim(k.Const, c.key)
			g.Values = append(g.Values, k)
		}
		l.protocol.Constants = append(l.protocol.Constants, g)
	}
}

func (l *loader) readEnums(v value) {
	for _, e := range l.mapping(v, "enums").members {
		m := l.record(e.val, "an enum", "doc", "section", "ours", "prefix", "values")
		x := &ir.Enum{Meta: l.meta(e, m, true), Name: l.name(e), Prefix: l.text(m, "prefix")}
		if x.Prefix == "" {
			l.errorf(e.key, "enum %s has no prefix", e.name)
		}
		values, ok := m.get("values")
		if !ok {
			l.errorf(e.key, "enum %s has no values", e.name)
			continue
		}
		for _, c := range l.mapping(values, "values").members {
			val := &ir.Value{Doc: l.word(c.val, "the doc of a value"), Wire: c.name, Const: x.Prefix + l.goName(c.name)}
			l.claim(val.Const, c.key)
			x.Values = append(x.Values, val)
		}
		if len(x.Values) == 0 {
			l.errorf(e.key, "enum %s has no values", e.name)
		}
		l.claim(x.Go, e.key)
		l.defineType(e, func() { l.enums[e.name] = x })
		l.protocol.Enums = append(l.protocol.Enums, x)
	}
}

// tableEnums makes the enums whose values are a table of the protocol.
func (l *loader) tableEnums() {
	l.enums["message_type"] = &ir.Enum{Name: ir.Name{Wire: "message_type", Go: "MessageType"}, Open: true, Table: "messages"}
	l.enums["event_kind"] = &ir.Enum{Name: ir.Name{Wire: "event_kind", Go: "EventKind"}, Vendor: true, Table: "kinds"}
	features := &ir.Enum{Name: ir.Name{Wire: "feature", Go: "Feature"}, Open: true, Table: "features"}
	for _, f := range l.protocol.Features {
		features.Values = append(features.Values, &ir.Value{Doc: f.Doc, Wire: f.Wire, Const: f.Const})
	}
	codes := &ir.Enum{Name: ir.Name{Wire: "code", Go: "ErrorCode"}, Open: true, Table: "codes"}
	for _, c := range l.protocol.Codes {
		codes.Values = append(codes.Values, &ir.Value{Doc: c.Doc, Wire: c.Wire, Const: c.Const})
	}
	l.enums["feature"], l.enums["code"] = features, codes
}
