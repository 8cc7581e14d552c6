package arcp

import (
	"bytes"
	"errors"

	"github.com/arcpkit/arcp/internal/jsonx"
)

// RawJSON is the text of a JSON value. Decoding gives text that was strictly scanned: unique member names, UTF-8, bounded
// depth and numbers. Nil means absent; null is the text "null". Who makes one from other bytes uses ParseRaw.
type RawJSON []byte

// ParseRaw checks text as Decode would and returns it, not copied, without the white space around it.
func ParseRaw(text []byte) (RawJSON, error) {
	var d jsonx.Decoder
	d.Reset(text)
	raw := d.Raw()
	d.End()
	if d.Failed() {
		return nil, newDecodeError(&d, text)
	}
	return raw, nil
}

// Check reports text that Decode would refuse, as a *DecodeError.
func (r RawJSON) Check() error {
	if jsonx.Scan(r) == nil {
		return nil
	}
	_, err := ParseRaw(r)
	return err
}

// MarshalJSON returns the text itself, null when absent.
func (r RawJSON) MarshalJSON() ([]byte, error) {
	if r == nil {
		return []byte("null"), nil
	}
	return r, nil
}

// UnmarshalJSON keeps a copy of text.
func (r *RawJSON) UnmarshalJSON(text []byte) error {
	if r == nil {
		return errors.New("arcp: UnmarshalJSON on a nil *RawJSON")
	}
	*r = bytes.Clone(text)
	return nil
}

// String returns the text.
func (r RawJSON) String() string { return string(r) }
