// Package jsonx reads and writes the JSON of protocol frames: a strict single-pass cursor for generated decoders and
// append functions for generated encoders.
//
// It is stricter than encoding/json. Beyond what encoding/json refuses, it refuses invalid UTF-8, lone surrogates,
// duplicate member names at every level (compared after unescaping), nesting deeper than [MaxDepth] and number
// literals longer than [MaxNumberLen]. Member names match exactly (§5).
//
// Nothing here allocates for a well-formed frame, but for strings that contain escapes and for objects with members
// the reader does not know.
package jsonx

const (
	// MaxDepth is the deepest accepted nesting of objects and arrays; the frame's own object is level 1.
	MaxDepth = 64
	// MaxNumberLen is the longest accepted number literal, in bytes, sign, point and exponent included.
	MaxNumberLen = 64
)
