package text

import (
	"strconv"

	"github.com/arcpkit/arcp/gen/ir"
)

// limitGroup is the limits under one heading.
type limitGroup struct {
	Name   string
	Limits []limitRow
}

type limitRow struct{ Name, Flag, Field, Default, Doc string }

// newLimits is what is to be said of those limits that a runtime can be told.
func newLimits(p *ir.Protocol) []limitGroup {
	var groups []limitGroup
	for _, l := range p.Limits {
		if l.Group == "" {
			continue
		}
		if n := len(groups); n == 0 || groups[n-1].Name != l.Group {
			groups = append(groups, limitGroup{Name: l.Group})
		}
		g := &groups[len(groups)-1]
		text := prose(l.Meta)
		if l.Negative != "" {
			text += " `off`: " + l.Negative + "."
		}
		g.Limits = append(g.Limits, limitRow{l.Wire, l.Flag, l.Field, amount(l), cell(text)})
	}
	return groups
}

// amount is a default with its unit; bytes are in the largest that divides them.
func amount(l *ir.Limit) string {
	n := strconv.FormatInt(l.Default, 10)
	switch {
	case l.Unit == "count":
		return n
	case l.Unit != "bytes":
		return n + unit(" "+l.Unit, l.Default)
	}
	for _, u := range []struct {
		name string
		size int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if l.Default%u.size == 0 {
			return strconv.FormatInt(l.Default/u.size, 10) + " " + u.name
		}
	}
	return n + unit(" bytes", l.Default)
}
