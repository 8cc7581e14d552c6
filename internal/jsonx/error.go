package jsonx

import (
	"strconv"
	"strings"
)

// maxErrors bounds what one hostile frame can make us remember.
const maxErrors = 64

// Error is one finding about a frame.
type Error struct {
	// Offset is where the offending text, or the object that lacks Member, begins, in bytes.
	Offset int
	// Member names a member the object at Offset lacks; empty for other findings.
	Member string
	// Problem says what is wrong, without the place.
	Problem string
}

// Error implements error.
func (e Error) Error() string {
	if e.Member != "" {
		return "offset " + strconv.Itoa(e.Offset) + ": " + strconv.Quote(e.Member) + ": " + e.Problem
	}
	return "offset " + strconv.Itoa(e.Offset) + ": " + e.Problem
}

// Pointer returns the JSON Pointer of what the finding is about; frame is the text it was found in.
func (e Error) Pointer(frame []byte) string {
	p := PointerAt(frame, e.Offset)
	if e.Member != "" {
		p += "/" + escapePointer(e.Member)
	}
	return p
}

// Failed reports whether anything was found wrong so far.
func (d *Decoder) Failed() bool { return len(d.errs) > 0 }

// Broken says whether the reading ended at text that is not JSON; otherwise it came to the end, whatever was found.
func (d *Decoder) Broken() bool { return d.broken }

// Errors returns the findings in the order they were made, at most one of them a syntax error and that one last. The
// slice is the decoder's, until the next Reset.
func (d *Decoder) Errors() []Error { return d.errs }

// Err returns the first finding, or nil.
func (d *Decoder) Err() error {
	if len(d.errs) == 0 {
		return nil
	}
	return d.errs[0]
}

// Report notes a finding at a place without ending the reading.
func (d *Decoder) Report(at Mark, problem string) {
	d.note(Error{Offset: spaceEnd(d.buf, at.pos), Problem: problem})
}

// Missing notes that the object which begins at the mark lacks a required member.
func (d *Decoder) Missing(object Mark, member string) {
	d.note(Error{Offset: spaceEnd(d.buf, object.pos), Member: member, Problem: "required member is missing"})
}

// Duplicate ends the reading: the name NextKey or Member returned last was seen before in its object.
func (d *Decoder) Duplicate() { d.fail(d.keyPos, "duplicate member name") }

// fail notes a syntax error at p and ends the reading. It returns -1 for scanners that return a position.
func (d *Decoder) fail(p int, problem string) int {
	if !d.broken {
		d.broken = true
		if p >= len(d.buf) {
			p = len(d.buf)
		}
		d.errs = append(d.errs, Error{Offset: p, Problem: problem})
	}
	d.pos = len(d.buf)
	return -1
}

func (d *Decoder) note(e Error) {
	if !d.broken && len(d.errs) < maxErrors {
		d.errs = append(d.errs, e)
	}
}

// mismatch handles a value that is not of the wanted type: noted and stepped over, or a syntax error if it is no value.
func (d *Decoder) mismatch(want string) {
	at := d.Save()
	if got := d.Skip(); got != "" {
		d.Report(at, "must be "+want+", not "+got)
	}
}

func kindOf(c byte) string {
	switch c {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

func escapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
