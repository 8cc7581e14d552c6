package journal

import (
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// BenchmarkAppend is one event from staging to a published number, and its frame.
func BenchmarkAppend(b *testing.B) {
	limits := testLimits
	limits.LogBytes, limits.ViewBytes = 1<<20, 0
	s := New(store.NewMemory(), limits)
	v, err := s.OpenView("n", "sess_0199c3a2b6f07c1d9a5e4f3b2a1c0d9f", gateAll, nil)
	if err != nil {
		b.Fatal(err)
	}
	l, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_0199c3a2b6f07c1d9a5e4f3b2a1c0d9e", Accepted: []byte("{}"), Owner: v})
	if err != nil {
		b.Fatal(err)
	}
	ev := arcp.JobEvent{Kind: arcp.KindLog, TS: time.Now(), Body: &arcp.LogBody{Level: arcp.LevelInfo, Message: "indexed 42 of 128 files in the working directory"}}
	r, _, _ := v.Resume(0)
	var buf []byte
	var ends []int
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := l.Append(b.Context(), &ev); err != nil {
			b.Fatal(err)
		}
		if i%64 == 63 {
			if buf, ends, _, err = r.AppendFrames(buf[:0], ends[:0], 1<<20, 64); err != nil {
				b.Fatal(err)
			}
		}
	}
}
