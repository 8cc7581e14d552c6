package arcp

// Side says who may send a message.
type Side uint8

// The sides. They are bits: FromBoth is both.
const (
	FromClient  Side = 1
	FromRuntime Side = 2
	FromBoth    Side = FromClient | FromRuntime
)

// Allows says whether a message of side s may come from the side given.
func (s Side) Allows(from Side) bool { return s&from != 0 }

// Rule is what the protocol says of a message type. RuleOf returns it.
type Rule struct {
	Type      MessageType
	From      Side
	Reply     MessageType // what answers it, empty for none
	Feature   Feature     // that the session must have agreed on, empty for none
	JobScoped bool        // the envelope carries job_id
	Sequenced bool        // the envelope carries event_seq
	Handshake bool        // allowed before the session is welcome
}

// KindRule is what the protocol says of an event kind. KindRuleOf returns it.
type KindRule struct {
	Kind        EventKind
	Feature     Feature // without which a session does not see the kind, empty for none
	RuntimeOnly bool    // refused from an agent
}
