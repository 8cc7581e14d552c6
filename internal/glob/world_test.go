package glob

import (
	"math/rand/v2"
	"strings"
)

// maxEnumerated bounds the targets of an enumeration; of a URL it counts what is behind the scheme.
const maxEnumerated = 6

// world is every short target of a kind, and how its patterns are drawn.
type world struct {
	kind    Kind
	targets []split
}

// split is a pattern or a target taken apart as it is written, by the definition and not by what is tested.
type split struct{ host, path []string }

const scheme = "http://"

func newWorld(k Kind) *world {
	w := &world{kind: k}
	prefix, alphabet := "", "ab/"
	if k == URL {
		prefix, alphabet = scheme, "ab./"
	}
	for texts := []string{""}; len(texts[0]) <= maxEnumerated; texts = longer(texts, alphabet) {
		for _, text := range texts {
			if t, err := Parse(k, prefix+text); err == nil && t.valid {
				w.targets = append(w.targets, w.split(prefix+text))
			}
		}
	}
	return w
}

func longer(texts []string, alphabet string) (more []string) {
	for _, text := range texts {
		for _, c := range alphabet {
			more = append(more, text+string(c))
		}
	}
	return more
}

// random draws a pattern.
func (w *world) random(r *rand.Rand) string {
	for {
		text := randomPath(r)
		if w.kind == URL {
			text = scheme + randomHost(r) + "/" + strings.TrimPrefix(text, "/") + pick(r, "", "", "", "/")
		}
		if _, err := Compile(w.kind, text); err == nil {
			return text
		}
	}
}

// narrow replaces some wildcards of a pattern by what they stand for.
func (w *world) narrow(r *rand.Rand, text string) string {
	for {
		var b strings.Builder
		for rest := text; rest != ""; {
			switch {
			case strings.HasPrefix(rest, deep):
				b.WriteString(pick(r, deep, "*", "a", "a/**", "**/b", "*/*", "**/*/**", ""))
				rest = rest[len(deep):]
			case rest[0] == '*':
				b.WriteString(pick(r, "*", "*", "a", "b", "a*", "*b", "*a*", ""))
				rest = rest[1:]
			default:
				b.WriteByte(rest[0])
				rest = rest[1:]
			}
		}
		// A path of dots and wildcards is left out: its shortest counterexample may be no target, for all others that it has.
		dotted := strings.Contains(strings.Join(w.split(b.String()).path, "/"), ".")
		if _, err := Compile(w.kind, b.String()); err == nil && !dotted {
			return b.String()
		}
	}
}

func randomPath(r *rand.Rand) string {
	segments := []string{pick(r, "", randomSegment(r))}
	for range 1 + r.IntN(4) {
		segments = append(segments, randomSegment(r))
	}
	return strings.Join(segments, "/")
}

func randomSegment(r *rand.Rand) string {
	switch r.IntN(4) {
	case 0:
		return deep
	case 1:
		return "*"
	}
	var seg string
	for range 1 + r.IntN(4) {
		if c := pick(r, "a", "b", "*"); c != "*" || !strings.HasSuffix(seg, "*") {
			seg += c
		}
	}
	return seg
}

func randomHost(r *rand.Rand) string {
	labels := []string{pick(r, deep, "*", "a", "b", "ab")}
	for range r.IntN(3) {
		labels = append(labels, pick(r, "*", "a", "b", "ba"))
	}
	return strings.Join(labels, ".")
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func (w *world) split(text string) split {
	if w.kind == Path {
		return split{path: strings.Split(strings.TrimSuffix(text, "/"), "/")}
	}
	host, path, _ := strings.Cut(strings.TrimPrefix(text, scheme), "/")
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if labels[0] == deep {
		labels = append([]string{"*"}, labels...) // one label or more
	}
	return split{host: labels, path: strings.Split("/"+path, "/")}
}
