package glob

import (
	"slices"
	"strings"
)

// Effort bounds the work of proofs; one value is shared by all proofs of a request. A proof for which nothing is left fails.
type Effort int

// Union is a list of patterns of one kind, ready to be compared with others: it matches what any of them does. The zero
// value matches nothing.
type Union struct {
	kind   Kind
	text   automaton
	starts []int
}

// Join returns the union of those patterns that are of a kind.
func Join(k Kind, patterns []Pattern) Union {
	var text strings.Builder
	u := Union{kind: k}
	for _, p := range patterns {
		if p.valid && p.kind == k {
			u.starts = append(u.starts, text.Len())
			text.WriteString(p.text + "/" + string([]byte{end}))
		}
	}
	u.text = automaton(text.String())
	u.starts = u.text.closure(u.starts)
	return u
}

// Includes says whether it is proved that every target that child matches is matched by u too. No answer within the effort is
// false: doubt refuses.
//
// It is decided on the languages of the patterns. The targets of child are walked through character by character, together
// with the set of places where the patterns of u may be by then; a target at whose end none of those is at an end is a
// counterexample. Where child has a wildcard, a character that no pattern spells is tried and no other: what u matches of
// that it matches by wildcards, so it matches every other character there as well.
func (u Union) Includes(child Pattern, left *Effort) bool {
	_, included := u.counterexample(child, left)
	return included
}

const (
	end   = '\xff' // ends each pattern of an automaton; no text holds it
	fresh = '\xfe' // the character that no pattern spells
)

// counterexample is the proof of Includes. Where there is none it returns the shortest target, in segments, that child
// matches and u does not; "" with false when the effort was used up.
func (u Union) counterexample(child Pattern, left *Effort) (target string, included bool) {
	if !child.valid || child.kind != u.kind {
		return "", false
	}
	p := prover{child: Join(u.kind, []Pattern{child}), parents: u, left: left, seen: make(map[place][][]int)}
	for _, at := range p.child.starts {
		p.visit(point{place: place{at: at}, set: u.starts, prev: -1})
	}
	for i := 0; i < len(p.points); i++ {
		if *p.left < 0 {
			return "", false
		}
		if p.refuted(p.points[i]) {
			return p.spell(i), false
		}
		p.advance(i)
	}
	return "", *p.left >= 0
}

// prover holds the points that can be reached, in the order in which they were found.
type prover struct {
	child, parents Union
	left           *Effort
	points         []point
	seen           map[place][][]int
}

// place is where child is, and what the text up to there looks like.
type place struct {
	at    int
	shape shape
}

// point is a place and where parents may be at the same time; prev and by say how it was reached.
type point struct {
	place
	set  []int // ascending
	prev int
	by   byte
}

// visit adds a point unless it tells nothing new: from a place where parents can do less, every counterexample is found
// that is found from here.
func (p *prover) visit(pt point) {
	for _, set := range p.seen[pt.place] {
		if *p.left -= Effort(len(set) + 1); *p.left < 0 || subset(set, pt.set) {
			return
		}
	}
	p.seen[pt.place] = append(p.seen[pt.place], pt.set)
	p.points = append(p.points, pt)
}

func (p *prover) refuted(pt point) bool {
	if p.child.text[pt.at] != end || !pt.shape.whole(p.child.kind) {
		return false
	}
	return !slices.ContainsFunc(pt.set, func(at int) bool { return p.parents.text[at] == end })
}

// advance visits all that is one character from a point.
func (p *prover) advance(i int) {
	from := p.points[i]
	for _, c := range p.child.text.ahead(from.at) {
		next, ok := from.shape.after(c, p.child.kind)
		if !ok {
			continue
		}
		*p.left -= Effort(len(from.set) + 1)
		set := p.parents.text.step(from.set, c)
		for _, at := range p.child.text.step([]int{from.at}, c) {
			p.visit(point{place: place{at: at, shape: next}, set: set, prev: i, by: c})
		}
	}
}

// spell is the text that leads to a point.
func (p *prover) spell(i int) string {
	var text []byte
	for ; p.points[i].prev >= 0; i = p.points[i].prev {
		text = append([]byte{p.points[i].by}, text...)
	}
	return strings.TrimSuffix(string(text), "/")
}

// subset says whether a is a subset of b; both ascend.
func subset(a, b []int) bool {
	for len(a) > 0 && len(b) > 0 && len(a) <= len(b) {
		if a[0] == b[0] {
			a = a[1:]
		}
		b = b[1:]
	}
	return len(a) == 0
}
