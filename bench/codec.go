package main

import (
	"time"

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

func codecRows() []row { return nil }
