package convo

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// vars is what the names of a conversation stand for.
type vars map[string]string

var name = regexp.MustCompile(`\$[a-z][a-z0-9_]*`)

// expand puts in what names stand for; a name that stands for nothing stays.
func (v vars) expand(s string) string {
	return name.ReplaceAllStringFunc(s, func(n string) string {
		if value, ok := v[n]; ok {
			return value
		}
		return n
	})
}

// match compares a frame with what was expected of it and binds names. The error says where they differ.
func (v vars) match(want, got string) error {
	w, err := decode(want)
	if err != nil {
		return fmt.Errorf("the expected frame is no JSON: %w", err)
	}
	g, err := decode(got)
	if err != nil {
		return fmt.Errorf("the frame is no JSON: %w", err)
	}
	return v.value("", w, g)
}

func decode(s string) (any, error) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var x any
	err := d.Decode(&x)
	return x, err
}

func (v vars) value(at string, want, got any) error {
	if s, ok := want.(string); ok {
		return v.text(at, s, got)
	}
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return v.object(at, w, g)
		}
	case []any:
		if g, ok := got.([]any); ok {
			return v.list(at, w, g)
		}
	default:
		if want == got {
			return nil
		}
	}
	return differ(at, want, got)
}

func (v vars) text(at, want string, got any) error {
	if want == "*" {
		return nil
	}
	s, ok := got.(string)
	if !ok {
		return differ(at, want, got)
	}
	if name.FindString(want) == want && want != "" {
		if bound, ok := v[want]; ok && bound != s {
			return fmt.Errorf("%s is %q, %s was %q", where(at), s, want, bound)
		}
		v[want] = s
		return nil
	}
	if v.expand(want) != s {
		return differ(at, want, got)
	}
	return nil
}

func (v vars) object(at string, want, got map[string]any) error {
	_, open := want["..."]
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if k == "..." {
			continue
		}
		g, ok := got[k]
		if !ok {
			return fmt.Errorf("%s is missing", where(at+"/"+k))
		}
		if err := v.value(at+"/"+k, want[k], g); err != nil {
			return err
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[k]; !ok && !open {
			return fmt.Errorf("%s is not expected", where(at+"/"+k))
		}
	}
	return nil
}

func (v vars) list(at string, want, got []any) error {
	if len(want) != len(got) {
		return fmt.Errorf("%s has %d elements, want %d", where(at), len(got), len(want))
	}
	for i := range want {
		if err := v.value(fmt.Sprint(at, "/", i), want[i], got[i]); err != nil {
			return err
		}
	}
	return nil
}

func differ(at string, want, got any) error {
	w, _ := json.Marshal(want)
	g, _ := json.Marshal(got)
	return fmt.Errorf("%s is %s, want %s", where(at), g, w)
}

func where(at string) string {
	if at == "" {
		return "the frame"
	}
	return at
}
