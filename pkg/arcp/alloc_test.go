package arcp

import (
	"testing"
	"time"
)

// Encoding an event, and decoding one into a value that held its like, allocate nothing.
func TestNoAllocations(t *testing.T) {
	ev := &JobEvent{Kind: KindLog, TS: time.Unix(1e9, 5e6).UTC(), Body: &LogBody{Level: LevelInfo, Message: "indexed 4096 of 10000"}}
	e := &Envelope{ID: "job_1.7", SessionID: "sess_1", JobID: "job_1", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", EventSeq: 9, Payload: ev}
	frame := encode(t, e)
	dst := make([]byte, 0, 4096)
	var reused Envelope
	tests := []struct {
		name string
		run  func() error
	}{
		{"AppendJSON", func() (err error) { _, err = e.AppendJSON(dst[:0]); return err }},
		{"AppendEventTail", func() (err error) { _, err = AppendEventTail(dst[:0], "job_1", 7, e.TraceID, ev); return err }},
		{"AppendSequencedPrefix", func() error { AppendSequencedPrefix(dst[:0], TypeJobEvent, "sess_1"); return nil }},
		{"DecodeFrom", func() error { return reused.DecodeFrom(frame) }},
		{"Validate", func() error { return reused.Validate() }},
	}
	for _, tt := range tests {
		if err := tt.run(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if n := testing.AllocsPerRun(100, func() { _ = tt.run() }); n != 0 {
			t.Errorf("%s allocates %v times, want 0", tt.name, n)
		}
	}
}

// A decode into nothing allocates the copy of the frame, the envelope, and once for the event and its body.
func TestDecodeAllocations(t *testing.T) {
	frame := encode(t, &Envelope{
		ID: "i", SessionID: "s", EventSeq: 1, JobID: "j",
		Payload: &JobEvent{Kind: KindProgress, TS: time.Unix(1e9, 0).UTC(), Body: &ProgressBody{Current: 1}},
	})
	n := testing.AllocsPerRun(100, func() { _, _ = Decode(frame) })
	if n > 3 {
		t.Errorf("Decode allocates %v times, want 3", n)
	}
}
