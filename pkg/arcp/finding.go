package arcp

import (
	"errors"
	"strings"

	"github.com/arcpkit/arcp/internal/jsonx"
)

// Finding is one thing that is wrong with a message.
type Finding struct {
	// Pointer is the JSON Pointer (RFC 6901) of what it is about, from the root of what was read or checked; empty for the
	// whole of it.
	Pointer string
	// Problem says what is wrong.
	Problem string
}

// String returns the pointer and the problem.
func (f Finding) String() string {
	if f.Pointer == "" {
		return f.Problem
	}
	return f.Pointer + " " + f.Problem
}

// DecodeError says why a frame cannot be read: it is not JSON, or a member is missing or of the wrong type. Decoding goes
// on after a wrong or missing member, so that one error lists all of them; text that is not JSON ends it.
type DecodeError struct {
	Findings []Finding
	// Whole says that the frame is JSON and was read to its end: what the envelope holds besides the members found
	// wrong can be relied on.
	Whole bool
}

// Error lists the findings.
func (e *DecodeError) Error() string { return "malformed message: " + listFindings(e.Findings) }

// ErrorCode returns INVALID_REQUEST.
func (*DecodeError) ErrorCode() ErrorCode { return CodeInvalidRequest }

// Is says whether target is the code INVALID_REQUEST.
func (*DecodeError) Is(target error) bool { return target == error(CodeInvalidRequest) }

// ValidationError says which rules a well-formed message breaks.
type ValidationError struct{ Findings []Finding }

// Error lists the findings.
func (e *ValidationError) Error() string { return "invalid message: " + listFindings(e.Findings) }

// ErrorCode returns INVALID_REQUEST.
func (*ValidationError) ErrorCode() ErrorCode { return CodeInvalidRequest }

// Is says whether target is the code INVALID_REQUEST.
func (*ValidationError) Is(target error) bool { return target == error(CodeInvalidRequest) }

func listFindings(findings []Finding) string {
	var b strings.Builder
	for i, f := range findings {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(f.String())
	}
	return b.String()
}

func newDecodeError(d *jsonx.Decoder, frame []byte) *DecodeError {
	e := &DecodeError{Whole: !d.Broken()}
	for _, found := range d.Errors() {
		e.Findings = append(e.Findings, Finding{Pointer: found.Pointer(frame), Problem: found.Problem})
	}
	return e
}

// unencodable is the error of an encoder for a member whose value JSON cannot say.
func unencodable(member string) error {
	return &ValidationError{Findings: []Finding{{Pointer: "/" + member, Problem: "has a value that JSON cannot hold"}}}
}

func missingValue(member string) error {
	return &ValidationError{Findings: []Finding{{Pointer: "/" + member, Problem: "is missing"}}}
}

// within puts a member before the pointers of an encoder's error.
func within(member string, err error) error {
	var v *ValidationError
	if !errors.As(err, &v) {
		return err
	}
	for i := range v.Findings {
		v.Findings[i].Pointer = "/" + member + v.Findings[i].Pointer
	}
	return v
}
