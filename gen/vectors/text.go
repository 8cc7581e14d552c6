package vectors

import (
	"encoding/json"
	"slices"
	"strings"
)

// text is JSON text.
type text string

func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// A string always encodes, and a Builder always takes it.
	_ = e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value text
}

func (o object) text() text {
	var parts []string
	for _, m := range o {
		parts = append(parts, quote(m.name)+": "+string(m.value))
	}
	return text("{" + strings.Join(parts, ", ") + "}")
}

// set returns o with the member replaced, or added at the end.
func (o object) set(name string, value text) object {
	o = slices.Clone(o)
	for i := range o {
		if o[i].name == name {
			o[i].value = value
			return o
		}
	}
	return append(o, member{name, value})
}

// without returns o without the member.
func (o object) without(name string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return m.name == name })
}

// reversed returns o with its members in the opposite order.
func (o object) reversed() object {
	o = slices.Clone(o)
	slices.Reverse(o)
	return o
}
