package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coder/websocket"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// submits is how many submits, and echoes, one round of the row has.
const submits = 1000

func submitRows() []row {
	return []row{{"submit to accepted p50 : echo", "<=", 2.2, func() (string, float64, error) {
		const rounds = 5
		ns, ratio, err := alternate(rounds, submitTime, echoTime)
		return micros(ns), ratio, err
	}}}
}

func micros(ns float64) string { return time.Duration(ns).Round(100 * time.Nanosecond).String() }

// submitTime is the median from a submit to its acceptance, in nanoseconds. One job is over before the next is asked for.
func submitTime() (float64, error) {
	ctx := context.Background()
	session, stop, err := serve(quick)
	if err != nil {
		return 0, err
	}
	defer stop()
	took := make([]time.Duration, submits)
	ask := submit().Payload.(*arcp.JobSubmit)
	ask.Agent, ask.IdempotencyKey, ask.MaxRuntimeSec, ask.LeaseConstraints = "bench", "", nil, nil
	for i := range took {
		start := time.Now()
		job, err := session.Submit(ctx, ask)
		took[i] = time.Since(start)
		if err != nil {
			return 0, err
		}
		if _, err := job.Result(ctx); err != nil {
			return 0, err
		}
	}
	return float64(quantile(took, 0.5)), nil
}

// echoTime is the median round trip of the same frames over the bare WebSocket library, in nanoseconds.
func echoTime() (float64, error) {
	ctx := context.Background()
	ask, err := submit().AppendJSON(nil)
	if err != nil {
		return 0, err
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		for {
			typ, frame, err := c.Read(ctx)
			if err != nil || c.Write(ctx, typ, frame) != nil {
				return
			}
		}
	}))
	defer s.Close()
	c, _, err := websocket.Dial(ctx, s.URL, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.CloseNow() }()
	took := make([]time.Duration, submits)
	for i := range took {
		start := time.Now()
		if err := c.Write(ctx, websocket.MessageText, ask); err != nil {
			return 0, err
		}
		if _, _, err := c.Read(ctx); err != nil {
			return 0, err
		}
		took[i] = time.Since(start)
	}
	return float64(quantile(took, 0.5)), nil
}
