// Package dynjson converts between JSON text and Go values whose type the protocol does not know: an agent's input and
// result, tool arguments, details. It is the one place that imports goccy/go-json, through its v2 package, so that its
// version, options and error types are nobody else's concern; frames never pass through here (see jsonx).
//
// Rules of the v2 package hold: names match exactly, nil slices and maps are written [] and {}, map keys in order,
// []byte is base64, a time.Duration needs a type of its own. Any JSON number read into an any becomes a float64.
package dynjson

import (
	"bytes"
	"errors"
	"reflect"

	"github.com/goccy/go-json/jsontext"
	json "github.com/goccy/go-json/v2"
)

// Marshal returns v as JSON text, the same text each time for equal values. The error is an *Error.
func Marshal(v any) ([]byte, error) {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, wrap("encode", err)
	}
	return b, nil
}

// Unmarshal reads one JSON text into *out. Duplicate member names, invalid UTF-8 and text after the value are errors;
// members the type does not know are ignored. *out is replaced as a whole, and only on success, and shares no memory with
// data. The error is an *Error.
func Unmarshal[T any](data []byte, out *T) error {
	if out == nil {
		return &Error{Op: "decode", Problem: "nowhere to decode to: nil " + reflect.TypeFor[*T]().String()}
	}
	// A failed decode leaves its target half written: it gets one of its own.
	fresh := new(T)
	if err := json.Unmarshal(data, fresh); err != nil {
		return wrap("decode", err)
	}
	*out = *fresh
	return nil
}

// Error is a failed conversion.
type Error struct {
	// Op is "encode", "decode" or "canonicalize".
	Op string
	// Pointer is the JSON Pointer of the value concerned; empty for the whole, or where it is not known.
	Pointer string
	// Offset is where in the text the problem was noticed, in bytes; 0 where it is not known.
	Offset int64
	// Problem says what is wrong, without the place.
	Problem string
	err     error
}

// Error implements error.
func (e *Error) Error() string {
	s := "json: cannot " + e.Op + ": " + e.Problem
	if e.Pointer != "" {
		s += " at " + e.Pointer
	}
	return s
}

// Unwrap returns what a method of the converted value (MarshalJSON, UnmarshalText, …) returned, or nil.
func (e *Error) Unwrap() error { return e.err }

func wrap(op string, err error) *Error {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &semantic):
		e := &Error{Op: op, Pointer: string(semantic.JSONPointer), Offset: semantic.ByteOffset, err: semantic.Err}
		e.Problem = describe(semantic)
		return e
	case errors.As(err, &syntax):
		problem := "malformed JSON"
		if syntax.Err != nil {
			problem = syntax.Err.Error()
		}
		return &Error{Op: op, Pointer: string(syntax.JSONPointer), Offset: syntax.ByteOffset, Problem: problem}
	default:
		return &Error{Op: op, Problem: err.Error(), err: err}
	}
}

func describe(e *json.SemanticError) string {
	s := "the value"
	if e.JSONKind != 0 {
		s = "a JSON " + e.JSONKind.String()
	}
	if e.GoType != nil {
		s += " does not fit the type " + e.GoType.String()
	} else {
		s += " does not fit"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Compact returns text without insignificant whitespace, checked as Unmarshal checks it.
func Compact(text []byte) ([]byte, error) {
	v := jsontext.Value(bytes.Clone(text))
	if err := v.Compact(jsontext.AllowDuplicateNames(false), jsontext.AllowInvalidUTF8(false)); err != nil {
		return nil, wrap("compact", err)
	}
	return v, nil
}
