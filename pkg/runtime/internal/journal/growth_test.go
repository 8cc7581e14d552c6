package journal

import (
	"fmt"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// manyLogs is a view that many logs are attached to, and the last of them.
func manyLogs(t *testing.T, s *Sequencer, n int) (*View, *Log) {
	t.Helper()
	v, err := s.OpenView("n", "sess_1", gateAll, nil)
	if err != nil {
		t.Fatal(err)
	}
	var l *Log
	for i := range n {
		if l, err = s.OpenLog(&NewLog{Node: "n", JobID: fmt.Sprint("job_", i), Accepted: []byte("{}"), Owner: v}); err != nil {
			t.Fatal(err)
		}
	}
	return v, l
}

// TestNamingIsRare: a view of many logs names them again when as many of its records are needless, and not with every batch.
func TestNamingIsRare(t *testing.T) {
	t.Parallel()
	st := store.NewMemory()
	s := New(st, testLimits)
	s.trimRecords = 16
	const logs, events = 500, 3000
	v, l := manyLogs(t, s, logs)
	r, _, _ := v.Resume(0)
	for range events {
		if _, err := l.Append(t.Context(), &arcp.JobEvent{Kind: arcp.KindLog, Body: &arcp.LogBody{Message: "x"}}); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := r.AppendFrames(nil, nil, 1<<20, 100); err != nil {
			t.Fatal(err)
		}
		v.Ack(v.published)
	}
	head, err := st.Lookup(t.Context(), v.key)
	if err != nil {
		t.Fatal(err)
	}
	if v.trimmed == 0 || head.Records > 3*(logs+events) {
		t.Errorf("%d records for %d logs and %d events, trimmed to %d", head.Records, logs, events, v.trimmed)
	}
}

// TestPrivateViewLeavesNoRecords: nobody ever reads a private store, so nothing of a view is written to it, and a resume works.
func TestPrivateViewLeavesNoRecords(t *testing.T) {
	t.Parallel()
	st := store.NewMemory()
	s := New(st, testLimits)
	s.Private = true
	v, l := manyLogs(t, s, 3)
	if err := s.Position(v, []byte("answer"), v.next); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), &arcp.JobEvent{Kind: arcp.KindLog, Body: &arcp.LogBody{Message: "x"}}); err != nil {
		t.Fatal(err)
	}
	if head, err := st.Lookup(t.Context(), v.key); err != nil || head.Records != 0 {
		t.Errorf("head %+v, %v", head, err)
	}
	r, frames, _ := v.Resume(0)
	_, ends, _, err := r.AppendFrames(nil, nil, 1<<20, 100)
	if err != nil || len(ends) != 1 || len(frames) != 4 {
		t.Errorf("resumed with %d frames and %d without a number: %v", len(ends), len(frames), err)
	}
	if err := s.CloseView(v); err != nil {
		t.Error(err)
	}
}

// TestPruningIsRare: frames of many jobs that the client has are not looked for with every number it gets, and are gone when it has all.
func TestPruningIsRare(t *testing.T) {
	t.Parallel()
	limits := testLimits
	limits.ViewBytes = 1 << 20
	s := New(store.NewMemory(), limits)
	const logs = 80 * prunePace
	v, l := manyLogs(t, s, logs)
	r, _, _ := v.Resume(0)
	looks := 0
	for range logs {
		if _, err := l.Append(t.Context(), &arcp.JobEvent{Kind: arcp.KindLog, Body: &arcp.LogBody{Message: "x"}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, _, err := r.AppendFrames(nil, nil, 1<<20, 2*logs); err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq < logs; seq++ {
		before := v.pruned
		if v.Ack(seq); v.pruned != before {
			looks++
		}
	}
	if most := 2 * prunePace; looks == 0 || looks > most {
		t.Errorf("%d looks at %d frames over as many numbers, at most %d are due", looks, logs, most)
	}
	v.Ack(logs)
	if len(v.positioned) != logs-1 { // those of jobs without a number stay
		t.Errorf("%d frames are kept", len(v.positioned))
	}
}
