package glob

import "slices"

// automaton is one or more patterns, each with a '/' behind every segment and then end, as a nondeterministic automaton
// that reads texts of the same form. Its states are the offsets into it.
type automaton string

// op is what an offset stands for.
type op uint8

const (
	spell  op = iota // one character, that of the offset
	run              // '*' in a segment that holds more: any characters
	whole            // '*' as a segment: one character or more
	many             // "**", between two segments
	inside           // the second '*' of "**": within a segment
)

func (a automaton) op(at int) op {
	if a[at] != '*' {
		return spell
	}
	first := at == 0 || a[at-1] == '/' || a[at-1] == end
	switch {
	case !first && a[at-1] == '*':
		return inside
	case first && a[at+1] == '*':
		return many
	case first && a[at+1] == '/':
		return whole
	default:
		return run
	}
}

// ahead are the characters that may come at an offset, with fresh for all that a wildcard stands for.
func (a automaton) ahead(at int) []byte {
	switch a.op(at) {
	case spell:
		if a[at] == end {
			return nil
		}
		return []byte{a[at]}
	case many, inside:
		return []byte{fresh, '/'}
	default:
		return []byte{fresh}
	}
}

// step returns where the automaton may be after c, from any of the offsets given; ascending.
func (a automaton) step(from []int, c byte) []int {
	free := c != '/'
	var to []int
	for _, at := range from {
		switch o := a.op(at); {
		case o == spell && a[at] == c, o == many && free:
			to = append(to, at+1)
		case o == whole && free:
			to = append(to, at, at+1)
		case (o == run || o == inside) && free, o == many && c == '/':
			to = append(to, at)
		case o == inside && c == '/':
			to = append(to, at-1)
		}
	}
	return a.closure(to)
}

// closure adds the offsets that are reached without reading: behind a '*' that takes nothing, and behind "**/". It sorts.
func (a automaton) closure(at []int) []int {
	for i := 0; i < len(at); i++ {
		switch a.op(at[i]) {
		case run:
			at = append(at, at[i]+1)
		case many:
			at = append(at, at[i]+len(deep)+1)
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// shape is what a text read so far looks like. It keeps the proof to texts that canonical targets have: an empty segment is
// the first of a path or name, or the last of a URL, in which at least one segment is behind the mark.
type shape uint8

const (
	nothing  shape = iota
	within         // in a segment
	between        // behind a segment that was not empty
	rooted         // behind an empty first segment
	marked         // in the mark
	pathless       // behind the mark
	complete       // behind an empty last segment
)

// after is the shape once c was read; there is no such target where ok is false.
func (s shape) after(c byte, k Kind) (next shape, ok bool) {
	switch {
	case s == complete:
		return s, false
	case c == mark, s == marked && c != '/':
		return marked, true
	case s == marked:
		return pathless, true
	case c != '/':
		return within, true
	case s == within:
		return between, true
	case s == nothing && k != URL:
		return rooted, true
	default:
		return complete, s == between && k == URL || s == pathless
	}
}

// whole says whether a text of this shape is a target: of empty segments alone only the root of paths is.
func (s shape) whole(k Kind) bool {
	return s == between || s == complete || s == rooted && k == Path
}
