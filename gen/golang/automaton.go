package golang

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
)

// automaton is a pattern as a table: from each state, where each class of bytes leads.
type automaton struct {
	classOf [128]byte // of the ASCII bytes; others never match
	classes int
	next    []byte // by state*classes + class
	accepts []bool // by state
}

// compile builds the automaton of an anchored pattern over ASCII.
func compile(pattern string) (*automaton, error) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, err
	}
	b := builder{prog: prog, index: map[string]int{}}
	b.state(b.closure([]uint32{uint32(prog.Start)}, syntax.EmptyBeginText))
	for i := 0; i < len(b.states); i++ {
		if len(b.states) > 250 {
			return nil, fmt.Errorf("pattern %s needs more than 250 states", pattern)
		}
		b.row(i)
	}
	return b.finish(), nil
}

// builder is the subset construction: a state is a set of places in the program, those that read a byte or match.
type builder struct {
	prog   *syntax.Prog
	states [][]uint32
	index  map[string]int
	rows   [][128]byte
}

// state returns the number of a set of places.
func (b *builder) state(set []uint32) byte {
	key := fmt.Sprint(set)
	if n, ok := b.index[key]; ok {
		return byte(n)
	}
	b.index[key] = len(b.states)
	b.states = append(b.states, set)
	return byte(len(b.states) - 1)
}

func (b *builder) row(i int) {
	var row [128]byte
	for c := range row {
		var to []uint32
		for _, pc := range b.states[i] {
			if inst := &b.prog.Inst[pc]; reads(inst) && inst.MatchRune(rune(c)) {
				to = append(to, inst.Out)
			}
		}
		row[c] = b.state(b.closure(to, 0))
	}
	b.rows = append(b.rows, row)
}

func reads(inst *syntax.Inst) bool {
	switch inst.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}

// closure follows what reads nothing. A place that asks for a position other than those in at stays in the set, so that
// the end of the text can still be tried.
func (b *builder) closure(from []uint32, at syntax.EmptyOp) []uint32 {
	seen := map[uint32]bool{}
	var set []uint32
	todo := slices.Clone(from)
	for len(todo) > 0 {
		pc := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		switch inst := &b.prog.Inst[pc]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			todo = append(todo, inst.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^at == 0 {
				todo = append(todo, inst.Out)
			} else {
				set = append(set, pc)
			}
		case syntax.InstFail:
		default:
			set = append(set, pc)
		}
	}
	slices.Sort(set)
	return set
}

func (b *builder) matches(set []uint32) bool {
	for _, pc := range b.closure(set, syntax.EmptyEndText) {
		if b.prog.Inst[pc].Op == syntax.InstMatch {
			return true
		}
	}
	return false
}

// finish joins the bytes that lead to the same states from everywhere into classes.
func (b *builder) finish() *automaton {
	a := new(automaton)
	var columns []string
	for c := range a.classOf {
		var column strings.Builder
		for _, row := range b.rows {
			column.WriteByte(row[c])
		}
		class := slices.Index(columns, column.String())
		if class < 0 {
			class = len(columns)
			columns = append(columns, column.String())
		}
		a.classOf[c] = byte(class)
	}
	a.classes = len(columns)
	for i, set := range b.states {
		for _, column := range columns {
			a.next = append(a.next, column[i])
		}
		a.accepts = append(a.accepts, b.matches(set))
	}
	return a
}

// matches runs the automaton as the generated code does.
func (a *automaton) matches(s string) bool {
	state := 0
	for i := range len(s) {
		if s[i] >= 128 {
			return false
		}
		state = int(a.next[state*a.classes+int(a.classOf[s[i]])])
	}
	return a.accepts[state]
}
