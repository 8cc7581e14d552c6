package arcp

// Payload is the message in an envelope: a pointer to one of the generated payload types, or *UnknownMessage. Other types
// cannot implement it.
type Payload interface {
	// MessageType returns the type on the wire.
	MessageType() MessageType
	// Validate reports every broken rule as a *ValidationError.
	Validate() error
	// AppendJSON appends the payload as a JSON object.
	AppendJSON(dst []byte) ([]byte, error)

	payload()
}

// EventBody is the body of a job event: a pointer to one of the generated body types, or *UnknownBody. Other types cannot
// implement it.
type EventBody interface {
	// EventKind returns the kind on the wire.
	EventKind() EventKind
	// Validate reports every broken rule as a *ValidationError.
	Validate() error
	// AppendJSON appends the body as a JSON object.
	AppendJSON(dst []byte) ([]byte, error)

	eventBody()
}

// UnknownMessage is a message of a type that this package does not know.
type UnknownMessage struct {
	// Type is the type on the wire.
	Type MessageType
	// Frame is the whole frame as it was read. When set, Envelope.AppendJSON writes it and nothing else.
	Frame RawJSON
	// Payload is a JSON object; nil is written as {}.
	Payload RawJSON
}

// MessageType returns Type.
func (u *UnknownMessage) MessageType() MessageType { return u.Type }

// Validate reports a payload that is not a JSON object.
func (u *UnknownMessage) Validate() error {
	var c checker
	u.validate(&c)
	return c.err()
}

func (u *UnknownMessage) validate(c *checker) {
	if u.Payload != nil {
		c.rawObject("", u.Payload)
	}
}

// AppendJSON appends Payload.
func (u *UnknownMessage) AppendJSON(dst []byte) ([]byte, error) {
	if u.Payload == nil {
		return append(dst, "{}"...), nil
	}
	return append(dst, u.Payload...), nil
}

func (*UnknownMessage) payload() {}
