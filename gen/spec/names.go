package spec

import (
	"strings"
	"unicode"
)

// goName writes a wire name as Go would: job.list_jobs is JobListJobs, JOB_NOT_FOUND is JobNotFound.
func (l *loader) goName(wire string) string {
	if strings.ToUpper(wire) == wire {
		wire = strings.ToLower(wire)
	}
	var b strings.Builder
	for _, word := range strings.FieldsFunc(wire, func(r rune) bool { return r == '.' || r == '_' || r == '-' }) {
		if upper := strings.ToUpper(word); l.initialisms[upper] {
			b.WriteString(upper)
			continue
		}
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// wireName says whether s may name something on the wire: words of letters and digits joined by dots, underscores or
// hyphens.
func wireName(s string) bool {
	if s == "" || !unicode.IsLetter(rune(s[0])) {
		return false
	}
	for _, r := range s {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r) {
			return false
		}
	}
	last := s[len(s)-1]
	return last != '.' && last != '_' && last != '-'
}

// claim takes a Go identifier of the generated package for the entry at v and reports a clash.
func (l *loader) claim(ident string, v value) {
	if first, taken := l.idents[ident]; taken {
		l.errorf(v, "the Go name %s is taken by %s:%d", ident, first.src.name, first.node.Line)
		return
	}
	l.idents[ident] = v
}
