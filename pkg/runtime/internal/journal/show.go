package journal

import (
	"fmt"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Shown is a record as people may look at it.
type Shown struct {
	Type   arcp.MessageType // of a frame; empty for what is none
	Frame  []byte           // JSON: the frame, of a numbered record what stands behind its number
	Whole  []byte           // the frame as a client gets it, with some session and number
	Name   string           // of what is no frame
	Text   string
	Counts []uint64
}

// Show takes a record of a job or a session apart; false for one that it does not know.
func Show(kind store.Kind, rec []byte) (s Shown, ok bool) {
	switch {
	case len(rec) == 0:
		return s, false
	case kind == store.KindJob:
		return showJob(rec)
	case kind == store.KindSession:
		return showView(rec)
	}
	return s, false
}

func showJob(rec []byte) (s Shown, ok bool) {
	switch t := Type(rec[0]); {
	case t == TypeAccepted:
		return Shown{Type: arcp.TypeJobAccepted, Frame: rec[1:], Whole: rec[1:]}, true
	case t == TypeCancel:
		return Shown{Name: "cancel", Text: string(rec[1:])}, true
	case t >= TypeEvent && t <= TypeError && len(rec) > recordHead && rec[recordHead] == ',':
		tail := rec[recordHead:]
		s.Type = messageOf(t)
		s.Frame = append([]byte("{"), tail[1:]...)
		s.Whole = append(fmt.Append(arcp.AppendSequencedPrefix(nil, s.Type, "session"), 1), tail...)
		return s, true
	}
	return s, false
}

func showView(rec []byte) (s Shown, ok bool) {
	names := map[byte]struct {
		name   string
		counts int
	}{
		recordAttach: {"attach", 2}, recordDetach: {"detach", 1}, recordSpan: {"span", 4}, recordInline: {"inline", 3},
		recordTail: {"tail", 1}, recordAnswer: {"answer", 1},
	}
	n, known := names[rec[0]]
	r := ints{rec: rec[1:]}
	s.Name = n.name
	for range n.counts {
		s.Counts = append(s.Counts, r.next())
	}
	if rec[0] == recordAttach {
		s.Text = string(r.rec)
	}
	return s, known && !r.bad
}
