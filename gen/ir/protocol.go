package ir

// Protocol is the whole description.
type Protocol struct {
	Name    string // "ARCP"
	Version string // wire version, the value of the member arcp
	Draft   string // file of the public draft that sections point into
	Digest  string // lower hex SHA-256 of the spec files

	Features  []*Feature
	Enums     []*Enum
	Scalars   []*Scalar
	Objects   []*Object // shared objects, neither payloads nor bodies
	Envelope  *Envelope
	Messages  []*Message
	Kinds     []*Kind
	Codes     []*Code
	Limits    []*Limit
	Constants []*ConstantGroup
	Files     []string // base names of the spec files, in reading order
}

// Meta is what every entry of the spec carries.
type Meta struct {
	Doc     string // plain text, ends with a full stop
	Section string // of the draft, "6.4"; empty when the draft has none
	Ours    bool   // the draft is silent here, or contradicts itself
	File    string // base name of the spec file, "session.yaml"
	Line    int    // 1-based
}

// Name is one thing's name, as the wire has it and as Go has it.
type Name struct {
	Wire string // "job.submit"
	Go   string // "JobSubmit"
}

// Envelope is the frame around every message.
type Envelope struct {
	Meta
	Fields []*Field // in member order
	// Split is the index in Fields of the first member of the tail that is the same in every session (PROTOCOL: id).
	Split int
}

// Side says who may send a message.
type Side string

// The sides.
const (
	FromClient  Side = "client"
	FromRuntime Side = "runtime"
	FromBoth    Side = "both"
)

// Message is one type of envelope and its payload.
type Message struct {
	Object             // the payload; Name.Wire is the type
	Const     string   // Go constant of the type, "TypeJobSubmit"
	From      Side     // who sends it
	Reply     *Message // what answers it; nil for none
	Feature   *Feature // that both sides must have agreed on; nil for none
	JobScoped bool     // the envelope must carry job_id
	Sequenced bool     // the envelope carries event_seq
	Handshake bool     // allowed before the session is welcome
}

// Kind is one kind of job event and its body.
type Kind struct {
	Object             // the body; Name.Go is "ProgressBody", Name.Wire the kind
	Const       string // "KindProgress"
	Feature     *Feature
	RuntimeOnly bool // refused from an agent
}

// Feature is a negotiable part of the protocol.
type Feature struct {
	Meta
	Name
	Const string // "FeatureListJobs"
}

// Code is an error code.
type Code struct {
	Meta
	Name             // "JOB_NOT_FOUND", "JobNotFound"
	Const     string // "CodeJobNotFound"
	Retryable bool   // default of the member retryable
	Draft     *Code  // what stands for it where only the draft's codes are known; nil when it is one of them
}

// Limit is a bound and its default.
type Limit struct {
	Meta
	Name           // "frame_in", "FrameIn"
	Const   string // "LimitFrameIn"
	Unit    string // "bytes", "seconds", "count", "levels", "digits", "characters"
	Default int64

	// Group is the heading a limit of the runtime stands under; empty for one that nobody sets there.
	Group    string
	Field    string // "Handshake", of runtime.Limits; empty without a group
	Flag     string // "handshake", of arcp serve; empty without a group
	Negative string // what a negative value means; empty when it means the default
}

// ConstantGroup is a group of wire names that hand-written code refers to: detail keys, phases, metric names.
type ConstantGroup struct {
	Meta
	Name
	List   string // Go function that lists the values, empty for none
	Values []*Constant
}

// Constant is one wire name.
type Constant struct {
	Doc   string
	Const string // "DetailAvailable"
	Value string // "available"
}
