package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/arcpkit/arcp/bench/shadow"
	"github.com/arcpkit/arcp/pkg/arcp"
)

func smallBody() *arcp.LogBody {
	return &arcp.LogBody{Level: arcp.LevelInfo, Message: "indexed 42 of 128 files in the working directory"}
}

// smallEvent is the job.event of the codec and streaming rows, about 380 bytes.
func smallEvent() *arcp.Envelope {
	return &arcp.Envelope{
		ID: "job_0199c3a2b6f07c1d9a5e4f3b2a1c0d9e.1042", SessionID: "sess_0199c3a2b6f07c1d9a5e4f3b2a1c0d9f",
		JobID: "job_0199c3a2b6f07c1d9a5e4f3b2a1c0d9e", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", EventSeq: 1042,
		Payload: &arcp.JobEvent{Kind: arcp.KindLog, TS: time.Date(2026, 5, 13, 19, 42, 13, 20e6, time.UTC), Body: smallBody()},
	}
}

func submit() *arcp.Envelope {
	runtime := uint64(3600)
	return &arcp.Envelope{
		ID: "msg_0199c3a2b6f07c1d9a5e4f3b2a1c0d9e", SessionID: "sess_0199c3a2b6f07c1d9a5e4f3b2a1c0d9f",
		TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
		Payload: &arcp.JobSubmit{
			Agent: "code-refactor@2.0.0", IdempotencyKey: "nightly-2026-11-24", MaxRuntimeSec: &runtime,
			Input:            arcp.RawJSON(`{"repository":"https://git.example.com/team/project","branch":"main","paths":["src/auth","src/session"],"dry_run":false,"limit":250}`),
			LeaseRequest:     arcp.Lease{arcp.NamespaceFSRead: {"/w/src/**"}, arcp.NamespaceToolCall: {"format", "lint.*"}},
			LeaseConstraints: &arcp.LeaseConstraints{ExpiresAt: time.Date(2126, 5, 13, 23, 42, 0, 0, time.UTC)},
		},
	}
}

func welcome() *arcp.Envelope {
	return &arcp.Envelope{
		ID: "msg_0199c3a2b6f07c1d9a5e4f3b2a1c0d9e", SessionID: "sess_0199c3a2b6f07c1d9a5e4f3b2a1c0d9f",
		Payload: &arcp.SessionWelcome{
			Runtime: arcp.Software{Name: "example-runtime", Version: "1.1.0"}, ResumeToken: arcp.MakeSecret("rt_4f8c2a90d1e74b6f9c3b5a7d8e0f1a2b"),
			ResumeWindowSec: 600, HeartbeatIntervalSec: 30,
			Capabilities: arcp.RuntimeCapabilities{
				Encodings: []string{arcp.EnvelopeEncodingJSON},
				Features:  []arcp.Feature{arcp.FeatureHeartbeat, arcp.FeatureAck, arcp.FeatureListJobs, arcp.FeatureSubscribe, arcp.FeatureProgress, arcp.FeatureResultChunk},
				Agents: []arcp.AgentEntry{
					{Name: "code-refactor", Versions: []string{"1.0.0", "2.0.0"}, Default: "2.0.0"},
					{Name: "test-runner", Versions: []string{"1.0.0"}, Default: "1.0.0"},
				},
			},
		},
	}
}

func codecRows() []row {
	type event = shadow.Envelope[shadow.JobEvent[shadow.LogBody]]
	return []row{
		{"encode job.event : std", ">=", 6, func() (string, float64, error) { return encode[event](smallEvent()) }},
		{"decode job.event, reused : std", ">=", 10, func() (string, float64, error) { return decode[event](smallEvent(), reused) }},
		{"decode job.event, copied : std", ">=", 6, func() (string, float64, error) { return decode[event](smallEvent(), copied) }},
		{"decode job.submit, reused : std", ">=", 5, func() (string, float64, error) { return decode[shadow.Envelope[shadow.JobSubmit]](submit(), reused) }},
		{"decode session.welcome, reused : std", ">=", 5, func() (string, float64, error) {
			return decode[shadow.Envelope[shadow.SessionWelcome]](welcome(), reused)
		}},
	}
}

// encode compares AppendJSON into a reused buffer with encoding/json writing the same message from plain structs.
func encode[S any](e *arcp.Envelope) (string, float64, error) {
	frame, err := e.AppendJSON(nil)
	if err != nil {
		return "", 0, err
	}
	var std S
	if err := json.Unmarshal(frame, &std); err != nil {
		return "", 0, err
	}
	buf := frame
	ours := func(n int) {
		for range n {
			buf, err = e.AppendJSON(buf[:0])
		}
	}
	if allocs := testing.AllocsPerRun(100, func() { ours(1) }); allocs > 0 {
		return "", 0, fmt.Errorf("encoding allocates %v times", allocs)
	}
	ns, ratio := compare(ours, func(n int) {
		for range n {
			if _, e := json.Marshal(&std); e != nil {
				err = e
			}
		}
	})
	return nanos(ns), ratio, err
}

// decode compares one of our ways to decode with encoding/json into plain structs.
func decode[S any](e *arcp.Envelope, way func(frame []byte) func(n int) error) (string, float64, error) {
	frame, err := e.AppendJSON(nil)
	if err != nil {
		return "", 0, err
	}
	ours := way(frame)
	ns, ratio := compare(func(n int) {
		if e := ours(n); e != nil {
			err = e
		}
	}, func(n int) {
		for range n {
			var s S
			if e := json.Unmarshal(frame, &s); e != nil {
				err = e
			}
		}
	})
	return nanos(ns), ratio, err
}

func reused(frame []byte) func(int) error {
	var e arcp.Envelope
	return func(n int) (err error) {
		for range n {
			err = e.DecodeFrom(frame)
		}
		return err
	}
}

func copied(frame []byte) func(int) error {
	return func(n int) (err error) {
		for range n {
			_, err = arcp.Decode(frame)
		}
		return err
	}
}

func nanos(ns float64) string { return fmt.Sprintf("%.0fns", ns) }
