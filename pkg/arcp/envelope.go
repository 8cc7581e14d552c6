package arcp

import (
	"bytes"

	"github.com/arcpkit/arcp/internal/jsonx"
)

// Envelope is the frame around every message (§5.1). It is plain data: copy it, share it once nobody changes it.
type Envelope struct {
	// ID is unique for its sender.
	ID string
	// Type is filled by Decode. AppendJSON writes the type of Payload and ignores it.
	Type MessageType
	// SessionID is empty in a hello.
	SessionID string
	// JobID is set in job-scoped messages.
	JobID string
	// TraceID is a trace id, or as read a traceparent; see ParseTraceID.
	TraceID string
	// EventSeq numbers the frames of job.event, job.result and the terminal job.error within a session; 0 when absent.
	EventSeq uint64
	// Payload is the message: *SessionHello, ..., or *UnknownMessage.
	Payload Payload
	// Extensions is a JSON object with vendor keys, or nil.
	Extensions RawJSON
}

// Decode reads one frame, of which it keeps a copy. Its error is a *DecodeError.
func Decode(frame []byte) (*Envelope, error) {
	e := new(Envelope)
	if err := e.DecodeFrom(bytes.Clone(frame)); err != nil {
		return nil, err
	}
	return e, nil
}

// DecodeFrom reads one frame into e, reusing the payload that e holds, and the body in it, where the types agree: set
// Payload to nil to keep them. Strings and raw values alias the frame, which must not change while they are in use.
// Lists, maps and nested objects are new each time. Its error is a *DecodeError; e then holds what could be read.
func (e *Envelope) DecodeFrom(frame []byte) error {
	*e = Envelope{Payload: e.Payload}
	var d jsonx.Decoder
	d.Reset(frame)
	e.decode(&d)
	d.End()
	if d.Failed() {
		return newDecodeError(&d, frame)
	}
	if u, ok := e.Payload.(*UnknownMessage); ok {
		u.Frame = frame[:len(frame):len(frame)]
	}
	return nil
}

// AppendJSON appends the frame. An *UnknownMessage that was decoded is written as it was read, byte for byte. Its error
// is a *ValidationError: a text that is not UTF-8, a number or time that JSON cannot say, a payload or body that is nil.
// Raw values are written as they are; Validate checks them.
func (e *Envelope) AppendJSON(dst []byte) ([]byte, error) {
	if e.Payload == nil {
		return dst, missingValue("payload")
	}
	if u, ok := e.Payload.(*UnknownMessage); ok && u.Frame != nil {
		return append(dst, u.Frame...), nil
	}
	dst, err := e.appendHead(dst, e.Payload.MessageType())
	if err != nil {
		return dst, err
	}
	return e.appendTail(dst)
}

// AppendSequencedTail appends what follows the number of a sequenced frame: the same bytes in every session that sees
// the message. SessionID, EventSeq and Type of e are not written; see AppendSequencedPrefix.
func AppendSequencedTail(dst []byte, e *Envelope) ([]byte, error) {
	if e.Payload == nil {
		return dst, missingValue("payload")
	}
	return e.appendTail(dst)
}

// Validate reports every rule that e and its payload break, as a *ValidationError. What depends on the state of a session
// is not its business.
func (e *Envelope) Validate() error {
	var c checker
	e.validate(&c)
	return c.err()
}

func (e *Envelope) validate(c *checker) {
	e.validateMembers(c)
	c.extensions("extensions", e.Extensions)
	if e.Payload == nil {
		c.add("payload", "is missing")
		return
	}
	if rule, ok := RuleOf(e.Payload.MessageType()); ok {
		e.validateRule(c, rule)
	}
	c.enter("payload")
	validatePayload(c, e.Payload)
	c.leave()
}

func (e *Envelope) validateRule(c *checker, rule Rule) {
	if rule.JobScoped && e.JobID == "" {
		c.add("job_id", "is missing")
	}
	if rule.From == FromRuntime && e.SessionID == "" {
		c.add("session_id", "is missing")
	}
	switch {
	case rule.Sequenced && e.EventSeq == 0:
		c.add("event_seq", "is missing")
	case !rule.Sequenced && e.EventSeq != 0:
		c.add("event_seq", "does not belong to this type")
	}
}
