package arcp

import (
	"strings"

	"github.com/arcpkit/arcp/internal/jsonx"
)

// DecodeBody reads the body of an event of kind k, of which it keeps body. Its error is a *DecodeError.
func DecodeBody(k EventKind, body RawJSON) (EventBody, error) {
	var d jsonx.Decoder
	d.Reset(body)
	b := decodeBody(&d, k, nil)
	d.End()
	if d.Failed() {
		return nil, newDecodeError(&d, body)
	}
	return b, nil
}

// DecodePayload reads the payload of a message of type t, of which it keeps payload. Its error is a *DecodeError.
func DecodePayload(t MessageType, payload RawJSON) (Payload, error) {
	var d jsonx.Decoder
	d.Reset(payload)
	p := decodePayload(&d, t, nil)
	d.End()
	if d.Failed() {
		return nil, newDecodeError(&d, payload)
	}
	return p, nil
}

func decodeUnknownPayload(d *jsonx.Decoder, t MessageType) Payload {
	return &UnknownMessage{Type: t, Payload: d.RawObject()}
}

func decodeUnknownBody(d *jsonx.Decoder, k EventKind) EventBody {
	return &UnknownBody{Kind: k, Raw: d.RawObject()}
}

func decodeVersion(d *jsonx.Decoder) {
	at := d.Save()
	if d.Peek() == '"' && d.String() != Version {
		d.Report(at, "is not the protocol version "+Version)
		return
	}
	if d.Save() == at {
		_ = d.String()
	}
}

// unknown steps over a member that is not among known. One that differs from a known name only in case is refused: a
// reader that folds case, as encoding/json does, would take it for the known one.
func unknown(d *jsonx.Decoder, key string, known ...string) {
	for _, name := range known {
		if strings.EqualFold(key, name) {
			d.Lookalike()
			return
		}
	}
	d.Unknown(key)
}

// first marks a member as seen and reports whether it had not been.
func first(d *jsonx.Decoder, seen *uint64, bit uint64) bool {
	if *seen&bit != 0 {
		d.Duplicate()
		return false
	}
	*seen |= bit
	return true
}

// reportMissing notes the members of required that are missing; names are those of required, from the lowest bit up.
func reportMissing(d *jsonx.Decoder, object jsonx.Mark, missing, required uint64, names ...string) {
	for _, name := range names {
		bit := required & -required
		required &^= bit
		if missing&bit != 0 {
			d.Missing(object, name)
		}
	}
}

func decodeTexts[T ~string](d *jsonx.Decoder) []T {
	if !d.OpenArray() {
		return nil
	}
	list := make([]T, 0, 4)
	for d.NextElement() {
		list = append(list, T(d.String()))
	}
	return list
}

// decodeLone reads a list of texts, or a text alone as a list of one.
func decodeLone[T ~string](d *jsonx.Decoder) []T {
	if d.Peek() == '"' {
		return []T{T(d.String())}
	}
	return decodeTexts[T](d)
}

func decodeLease(d *jsonx.Decoder) Lease {
	if !d.OpenObject() {
		return nil
	}
	lease := Lease{}
	for key, ok := d.NextKey(); ok; key, ok = d.NextKey() {
		if _, twice := lease[key]; twice {
			d.Duplicate()
			return nil
		}
		lease[key] = decodeTexts[string](d)
	}
	return lease
}

func decodeAmounts(d *jsonx.Decoder) map[string]Amount {
	if !d.OpenObject() {
		return nil
	}
	amounts := map[string]Amount{}
	for key, ok := d.NextKey(); ok; key, ok = d.NextKey() {
		if _, twice := amounts[key]; twice {
			d.Duplicate()
			return nil
		}
		amounts[key] = decodeAmount(d)
	}
	return amounts
}

func decodeAmount(d *jsonx.Decoder) Amount {
	at := d.Save()
	literal := d.Number()
	if literal == "" {
		return Amount{}
	}
	a, err := ParseAmount(literal)
	if err != nil {
		d.Report(at, err.Error())
	}
	return a
}
