package arcp

import "time"

// Event is a job event as a reader of a job sees it: the message and what the envelope says about it.
type Event struct {
	// Seq numbers the event in its session.
	Seq uint64
	// ID is the same in every session that sees the event.
	ID string
	// JobID is the job it happened in.
	JobID string
	// TraceID is the job's trace, or empty.
	TraceID string
	// Kind is that of Body.
	Kind EventKind
	// TS is when it happened.
	TS time.Time
	// Body is *LogBody, ..., or *UnknownBody.
	Body EventBody
	// Extensions is a JSON object, or nil.
	Extensions RawJSON
}

// Event returns e as an event, false when e holds another message.
func (e *Envelope) Event() (Event, bool) {
	ev, ok := e.Payload.(*JobEvent)
	if !ok {
		return Event{}, false
	}
	return Event{
		Seq: e.EventSeq, ID: e.ID, JobID: e.JobID, TraceID: e.TraceID,
		Kind: ev.Kind, TS: ev.TS, Body: ev.Body, Extensions: e.Extensions,
	}, true
}

// UnknownBody is the body of a vendor kind, or of a kind that this package does not know.
type UnknownBody struct {
	// Kind is the kind on the wire.
	Kind EventKind
	// Raw is the body, a JSON object; nil is written as {}.
	Raw RawJSON
}

// EventKind returns Kind.
func (u *UnknownBody) EventKind() EventKind { return u.Kind }

// Validate reports a body that is not a JSON object.
func (u *UnknownBody) Validate() error {
	var c checker
	u.validate(&c)
	return c.err()
}

func (u *UnknownBody) validate(c *checker) {
	if u.Raw != nil {
		c.rawObject("", u.Raw)
	}
}

// AppendJSON appends Raw.
func (u *UnknownBody) AppendJSON(dst []byte) ([]byte, error) {
	if u.Raw == nil {
		return append(dst, "{}"...), nil
	}
	return append(dst, u.Raw...), nil
}

func (*UnknownBody) eventBody() {}

// validateBody checks the body and that it is of the kind the event says.
func (v *JobEvent) validateBody(c *checker) {
	if v.Body == nil {
		c.add("body", "is missing")
		return
	}
	if v.Kind != "" && v.Kind != v.Body.EventKind() {
		c.add("kind", "is not the kind of the body")
	}
	c.enter("body")
	validateEventBody(c, v.Body)
	c.leave()
}
