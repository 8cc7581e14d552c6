package core

import (
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// TestEveryTypeInEveryState sends each type of the protocol in each state: what may act is what the rule table allows. guards I1, I4, C8.
func TestEveryTypeInEveryState(t *testing.T) {
	t.Parallel()
	for _, typ := range arcp.MessageTypes() {
		rule, _ := arcp.RuleOf(typ)
		first := rule.Handshake && rule.From.Allows(arcp.FromClient)
		t.Run(string(typ), func(t *testing.T) {
			t.Parallel()
			var s Session
			if a := s.Admit(&arcp.Envelope{Type: typ}); acts(a) != first {
				t.Errorf("before the welcome: %+v, may act %v", a, first)
			} else if !first && !a.End {
				t.Error("before the welcome: the link goes on")
			}
			var v Session
			v.Admit(&arcp.Envelope{Type: arcp.TypeSessionHello})
			if a := v.Admit(&arcp.Envelope{Type: typ}); acts(a) {
				t.Error("acts while the hello is looked at")
			}
			var o Session
			o.Opened("s", arcp.Features())
			may := rule.From.Allows(arcp.FromClient) && !rule.Handshake
			if a := o.Admit(&arcp.Envelope{Type: typ, SessionID: "s"}); acts(a) != may || a.End {
				t.Errorf("open: %+v, may act %v", a, may)
			}
			if a := o.Admit(&arcp.Envelope{Type: typ, SessionID: "other"}); acts(a) {
				t.Error("acts for another session's id")
			}
			if a := o.Admit(&arcp.Envelope{Type: typ, SessionID: "s", EventSeq: 1}); acts(a) {
				t.Error("acts with a number")
			}
			var bare Session
			bare.Opened("s", nil)
			if a := bare.Admit(&arcp.Envelope{Type: typ, SessionID: "s"}); acts(a) != (may && rule.Feature == "") {
				t.Errorf("open without features: %+v", a)
			}
			o.Ended()
			if a := o.Admit(&arcp.Envelope{Type: typ, SessionID: "s"}); !a.Ignore || acts(a) {
				t.Errorf("after the end: %+v", a)
			}
		})
	}
}

func acts(a Admission) bool { return a.Refuse == nil && !a.Ignore }
