package arcp_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/arcpkit/arcp/bench/shadow"
	"github.com/arcpkit/arcp/pkg/arcp"
)

func smallEvent() *arcp.Envelope {
	return &arcp.Envelope{
		ID: "job_01J9Z3K4M5N6P7Q8R9S0T1V2W3.17", SessionID: "sess_01J9Z3K4M5N6P7Q8R9S0T1V2W3", EventSeq: 42,
		JobID: "job_01J9Z3K4M5N6P7Q8R9S0T1V2W3", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
		Payload: &arcp.JobEvent{
			Kind: arcp.KindLog, TS: time.Date(2026, 11, 24, 12, 0, 0, 123e6, time.UTC),
			Body: &arcp.LogBody{Level: arcp.LevelInfo, Message: "indexed 4096 of 10000 documents"},
		},
	}
}

func smallFrame(tb testing.TB) []byte {
	tb.Helper()
	frame, err := smallEvent().AppendJSON(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return frame
}

type shadowEvent = shadow.Envelope[shadow.JobEvent[shadow.LogBody]]

func BenchmarkEncodeEvent(b *testing.B) {
	e := smallEvent()
	frame := smallFrame(b)
	b.Run("arcp", func(b *testing.B) {
		b.ReportAllocs()
		dst := make([]byte, 0, 1024)
		for b.Loop() {
			dst, _ = e.AppendJSON(dst[:0])
		}
	})
	b.Run("tail", func(b *testing.B) {
		b.ReportAllocs()
		dst := make([]byte, 0, 1024)
		ev := e.Payload.(*arcp.JobEvent)
		for b.Loop() {
			dst, _ = arcp.AppendEventTail(dst[:0], e.JobID, 17, e.TraceID, ev)
		}
	})
	b.Run("std", func(b *testing.B) {
		b.ReportAllocs()
		var s shadowEvent
		if err := json.Unmarshal(frame, &s); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			_, _ = json.Marshal(&s)
		}
	})
}

func BenchmarkDecodeEvent(b *testing.B) {
	frame := smallFrame(b)
	b.Run("reused", func(b *testing.B) {
		b.ReportAllocs()
		var e arcp.Envelope
		for b.Loop() {
			if err := e.DecodeFrom(frame); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("copied", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := arcp.Decode(frame); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("std", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var s shadowEvent
			if err := json.Unmarshal(frame, &s); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeSubmit(b *testing.B) {
	frame := []byte(`{"arcp":"1.1","type":"job.submit","session_id":"sess_01J9Z3K4M5N6P7Q8R9S0T1V2W3","id":"req_7",` +
		`"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","payload":{"agent":"indexer@1.0.0","input":{"path":"/data","depth":4},` +
		`"lease_request":{"fs.read":["/data/**"],"cost.budget":["USD:5.00"]},"idempotency_key":"nightly-7","max_runtime_sec":600}}`)
	b.Run("arcp", func(b *testing.B) {
		b.ReportAllocs()
		var e arcp.Envelope
		for b.Loop() {
			if err := e.DecodeFrom(frame); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("std", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var s shadow.Envelope[shadow.JobSubmit]
			if err := json.Unmarshal(frame, &s); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeWelcome(b *testing.B) {
	frame := []byte(`{"arcp":"1.1","type":"session.welcome","session_id":"sess_01J9Z3K4M5N6P7Q8R9S0T1V2W3","id":"w1","payload":{` +
		`"runtime":{"name":"arcpkit","version":"0.1.0"},"resume_token":"rt_8f14e45fceea167a5a36dedd4bea2543","resume_window_sec":600,` +
		`"heartbeat_interval_sec":30,"capabilities":{"encodings":["json"],"features":["heartbeat","ack","list_jobs","subscribe"],` +
		`"agents":[{"name":"indexer","versions":["1.0.0","2.0.0"],"default":"2.0.0"},{"name":"echo","versions":["1.0.0"],"default":"1.0.0"}],` +
		`"limits":{"frame_bytes":4194304,"retained_bytes":16777216,"idempotency_sec":86400}}}}`)
	b.Run("arcp", func(b *testing.B) {
		b.ReportAllocs()
		var e arcp.Envelope
		for b.Loop() {
			if err := e.DecodeFrom(frame); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("std", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var s shadow.Envelope[shadow.SessionWelcome]
			if err := json.Unmarshal(frame, &s); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkValidateSubmit(b *testing.B) {
	e, _ := arcp.Decode([]byte(`{"arcp":"1.1","type":"job.submit","session_id":"sess_01J9Z3K4M5N6P7Q8R9S0T1V2W3","id":"req_7",` +
		`"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","payload":{"agent":"indexer@1.0.0","input":{"path":"/data","depth":4},` +
		`"lease_request":{"fs.read":["/data/**"],"cost.budget":["USD:5.00"]},"idempotency_key":"nightly-7","max_runtime_sec":600}}`))
	for b.Loop() {
		if err := e.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidateEvent(b *testing.B) {
	e := smallEvent()
	for b.Loop() {
		if err := e.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}
