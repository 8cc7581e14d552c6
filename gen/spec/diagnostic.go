package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Diagnostic is one finding about the spec.
type Diagnostic struct {
	File    string // as given to Load, with slashes
	Line    int    // 1-based; 0 when the finding is about no line
	Column  int    // 1-based, in bytes
	Message string
	Source  string // the line itself
}

// String writes the finding as file:line:column, message, source line and caret.
func (d Diagnostic) String() string {
	if d.Line == 0 {
		return fmt.Sprintf("%s: %s\n", d.File, d.Message)
	}
	caret := strings.Map(blank, d.Source[:min(max(d.Column-1, 0), len(d.Source))]) + "^"
	return fmt.Sprintf("%s:%d:%d: %s\n\t%s\n\t%s\n", d.File, d.Line, d.Column, d.Message, d.Source, caret)
}

// blank keeps tabs, so that the caret stands under its character.
func blank(r rune) rune {
	if r == '\t' {
		return r
	}
	return ' '
}

// Error is all that is wrong with a spec, in the order of files and lines.
type Error []Diagnostic

// Error implements error with one listing for each finding.
func (e Error) Error() string {
	var b strings.Builder
	for _, d := range e {
		b.WriteString(d.String())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (e Error) sorted() Error {
	slices.SortStableFunc(e, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(e)
}
