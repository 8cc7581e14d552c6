package glob

import "strings"

// Effort bounds the work of proofs; one value is shared by all proofs of a request. A proof for which nothing is left fails.
type Effort int

// Includes says whether it is proved that every target that child matches is matched by one of parents, all of child's
// kind. No answer within the effort is false: doubt refuses.
//
// It is decided on the languages of the patterns. The targets of child are walked through character by character, together
// with the set of places where the patterns of parents may be by then; a target at whose end none of those is at an end is a
// counterexample. Where child has a wildcard, a character that no parent spells is tried and no other: what parents match of
// that they match by wildcards, so they match every other character there as well.
func Includes(parents []Pattern, child Pattern, left *Effort) bool {
	_, included := counterexample(parents, child, left)
	return included
}

const (
	end   = '\xff' // ends each pattern of an automaton; no text holds it
	fresh = '\xfe' // the character that no pattern spells
)

// counterexample is the proof of Includes. Where there is none it returns the shortest target, in segments, that child
// matches and parents do not; "" with false when the effort was used up.
func counterexample(parents []Pattern, child Pattern, left *Effort) (target string, included bool) {
	if !child.valid {
		return "", true
	}
	p := prover{child: automaton(child.text + "/" + string([]byte{end})), kind: child.kind, left: left}
	var starts []int
	for _, parent := range parents {
		if parent.valid && parent.kind == child.kind {
			starts = append(starts, len(p.parents))
			p.parents += automaton(parent.text + "/" + string([]byte{end}))
		}
	}
	set := p.parents.closure(starts)
	for _, at := range p.child.closure([]int{0}) {
		p.visit(point{at: at, set: set, prev: -1})
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
	return "", true
}

// prover holds the points that can be reached, in the order in which they were found.
type prover struct {
	child, parents automaton
	kind           Kind
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
	at    int
	shape shape
	set   []int // ascending
	prev  int
	by    byte
}

// visit adds a point unless it tells nothing new: from a place where parents can do less, every counterexample is found
// that is found from here.
func (p *prover) visit(pt point) {
	key := place{pt.at, pt.shape}
	for _, set := range p.seen[key] {
		if *p.left -= Effort(len(set) + 1); subset(set, pt.set) {
			return
		}
	}
	if p.seen == nil {
		p.seen = make(map[place][][]int)
	}
	p.seen[key] = append(p.seen[key], pt.set)
	p.points = append(p.points, pt)
}

func (p *prover) refuted(pt point) bool {
	if p.child[pt.at] != end || !pt.shape.whole(p.kind) {
		return false
	}
	for _, at := range pt.set {
		if p.parents[at] == end {
			return false
		}
	}
	return true
}

// advance visits all that is one character from a point.
func (p *prover) advance(i int) {
	from := p.points[i]
	for _, c := range p.child.ahead(from.at) {
		next, ok := from.shape.after(c, p.kind)
		if !ok {
			continue
		}
		*p.left -= Effort(len(from.set) + 1)
		set := p.parents.step(from.set, c)
		for _, at := range p.child.step([]int{from.at}, c) {
			p.visit(point{at: at, shape: next, set: set, prev: i, by: c})
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
