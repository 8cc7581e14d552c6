// Package convo plays written conversations against one side of the protocol, for tests.
//
// A conversation is a txtar file. Its comment says what it guards; the file named "conversation" in it has one step a line:
//
//	> {"type":"job.submit",…}   a frame from the client to the runtime
//	< {"type":"job.accepted",…} a frame from the runtime to the client
//	@ verb arguments            an action of the side under test
//	! close                     the played side closes the connection
//	! closed                    the played side sees the connection end
//	! dial                      the played side closes the connection and makes another; see PlayDial
//	! quiet                     all goroutines wait and no frame is on its way; in a synctest bubble only
//	~ 30s                       time passes; in a synctest bubble only
//	# text                      nothing
//
// A line that begins with white space goes on with the step before. Frames of the played side are sent as they stand, so they may be
// no JSON at all; those of the other side are expected, and compared as JSON values. In an expected frame the string "$name" takes
// any string, and the same one from then on; "*" takes any value; a member "..." allows members that are not listed. In a frame to
// send and in an action $name stands for the string it took.
package convo

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// section is the file of the archive that holds the steps.
const section = "conversation"

// Script is a parsed conversation. It is read-only.
type Script struct {
	Name    string
	Comment string
	steps   []step
}

type stepKind byte

const (
	toRuntime stepKind = '>'
	toClient  stepKind = '<'
	action    stepKind = '@'
	event     stepKind = '!'
	pass      stepKind = '~'
)

type step struct {
	line int
	kind stepKind
	text string
	wait time.Duration // of pass
}

// Load reads a conversation from a file.
func Load(file string) (*Script, error) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		return nil, err
	}
	return parse(file, a)
}

func parse(name string, a *txtar.Archive) (*Script, error) {
	s := &Script{Name: name, Comment: string(a.Comment)}
	before := strings.Count(s.Comment, "\n")
	for _, f := range a.Files {
		before++
		if f.Name != section {
			return nil, fmt.Errorf("%s:%d: file %q, want only %q", name, before, f.Name, section)
		}
		if err := s.parseSteps(string(f.Data), before); err != nil {
			return nil, err
		}
		before += strings.Count(string(f.Data), "\n")
	}
	if len(s.steps) == 0 {
		return nil, fmt.Errorf("%s: no steps", name)
	}
	return s, nil
}

func (s *Script) parseSteps(text string, before int) error {
	for i, line := range strings.Split(text, "\n") {
		number := before + i + 1
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#':
			continue
		case line[0] == ' ' || line[0] == '\t':
			if len(s.steps) == 0 {
				return fmt.Errorf("%s:%d: goes on with no step", s.Name, number)
			}
			s.steps[len(s.steps)-1].text += " " + strings.TrimSpace(line)
			continue
		}
		st := step{line: number, kind: stepKind(line[0]), text: strings.TrimSpace(line[1:])}
		if err := st.check(); err != nil {
			return fmt.Errorf("%s:%d: %w", s.Name, number, err)
		}
		s.steps = append(s.steps, st)
	}
	return nil
}

func (st *step) check() (err error) {
	switch st.kind {
	case toRuntime, toClient, action:
		return nil
	case event:
		if !slices.Contains([]string{"close", "closed", "quiet", "dial"}, st.text) {
			return fmt.Errorf("! %s is not close, closed, quiet or dial", st.text)
		}
		return nil
	case pass:
		st.wait, err = time.ParseDuration(st.text)
		return err
	}
	return fmt.Errorf("no step begins with %q", string(st.kind))
}
