package journal

import "github.com/arcpkit/arcp/pkg/arcp"

// Type is the first byte of a stored record. Values are stored: they never change meaning.
type Type byte

// The types of records. Those below typeControl are numbered: they have an index in their job's log and a seq in views.
const (
	TypeEvent  Type = 1 // tail of a job.event
	TypeResult Type = 2 // tail of the job.result
	TypeError  Type = 3 // tail of the terminal job.error

	typeControl  Type = 16
	TypeAccepted Type = 16 // the encoded job.accepted frame
	TypeCancel   Type = 17 // a cancel request; the rest is its reason

	// A state replaces the one before it; the newest of each type is kept however much of the log is trimmed.
	typeState  Type = 32
	TypeBudget Type = 32 // what the job has spent and set aside
)

// Gate is the second byte of a numbered record: what a session must have negotiated to be given it. Stored, as Type is.
type Gate byte

// The gates; a view holds a set of them.
const (
	GateNone     Gate = 0
	GateProgress Gate = 1 << 0
	GateChunk    Gate = 1 << 1
	GateReveal   Gate = 1 << 7 // for everybody; some readers get more of it: see Reader.Reveal
	gateAll           = GateProgress | GateChunk
)

const recordHead = 2 // bytes of a numbered record before its tail

// GateOf returns the gate of a kind, as its feature in the spec demands.
func GateOf(kind arcp.EventKind) Gate {
	rule, _ := arcp.KindRuleOf(kind)
	return gateOf(rule.Feature)
}

// gateOfEvent is GateOf but for the events of which some get more.
func gateOfEvent(ev *arcp.JobEvent) Gate {
	if ev.Kind == arcp.KindStatus {
		if s, ok := ev.Body.(*arcp.StatusBody); ok && s.Phase == arcp.PhaseCredentialRotated {
			return GateReveal
		}
	}
	return GateOf(ev.Kind)
}

// GatesOf returns the gates that a set of negotiated features opens.
func GatesOf(features []arcp.Feature) (g Gate) {
	for _, f := range features {
		g |= gateOf(f)
	}
	return g
}

func gateOf(f arcp.Feature) Gate {
	switch f {
	case arcp.FeatureProgress:
		return GateProgress
	case arcp.FeatureResultChunk:
		return GateChunk
	}
	return GateNone
}

func messageOf(t Type) arcp.MessageType {
	switch t {
	case TypeResult:
		return arcp.TypeJobResult
	case TypeError:
		return arcp.TypeJobError
	default:
		return arcp.TypeJobEvent
	}
}
