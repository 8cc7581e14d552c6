package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// view shows a job to whoever watches. It is for one goroutine, but for note; close comes last.
type view interface {
	accepted(a *arcp.JobAccepted) error
	event(ev *arcp.Event) error
	// note writes a line about the session.
	note(line string)
	// close takes down what must not stay on a terminal; nothing follows it.
	close()
}

// newView shows bars on a terminal and lines elsewhere.
func newView(w io.Writer) view {
	if isTerminal(w) {
		return newBars(w)
	}
	return &plain{w: w}
}

func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// plain writes a line for each event.
type plain struct{ w io.Writer }

func (p *plain) accepted(a *arcp.JobAccepted) error {
	_, err := io.WriteString(p.w, acceptedLine(a))
	return err
}

func (p *plain) event(ev *arcp.Event) error {
	label, text := describe(ev)
	if label == "" {
		return nil
	}
	_, err := io.WriteString(p.w, eventLine(label, text))
	return err
}

func (p *plain) note(line string) { _, _ = io.WriteString(p.w, line) }

func (p *plain) close() {}

func eventLine(label, text string) string { return fmt.Sprintf("%-10s %s\n", label, text) }
