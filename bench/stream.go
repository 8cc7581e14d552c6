package main

import (
	"context"
	"fmt"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// streamEvents is how many events one job of a streaming row emits.
const streamEvents = 100_000

func streamRows() []row {
	var s streaming
	return []row{
		{name: "events/s over WebSocket : limit", op: ">=", must: 0.4, measure: func() (string, float64, error) {
			err := s.measure()
			return rate(s.ours), float64(s.limit) / float64(s.ours), err
		}},
		{name: "events/s over WebSocket : raw unbatched", op: ">=", must: 1, measure: func() (string, float64, error) {
			err := s.measure()
			return rate(s.ours), float64(s.raw) / float64(s.ours), err
		}},
	}
}

func rate(d time.Duration) string {
	return fmt.Sprintf("%.0fk/s", streamEvents/d.Seconds()/1e3)
}

// streaming is one measurement that two rows share: medians of the time for streamEvents.
type streaming struct{ ours, limit, raw time.Duration }

func (s *streaming) measure() error {
	if s.ours > 0 {
		return nil
	}
	frame, err := smallEvent().AppendJSON(nil)
	if err != nil {
		return err
	}
	var ours, lim, raw []float64
	for range 5 {
		o, err := stream(open)
		if err != nil {
			return err
		}
		l, err := limit(streamEvents, frame)
		if err != nil {
			return err
		}
		r, err := unbatched(streamEvents, frame)
		if err != nil {
			return err
		}
		ours, lim, raw = append(ours, float64(o)), append(lim, float64(l)), append(raw, float64(r))
	}
	s.ours, s.limit, s.raw = time.Duration(median(ours)), time.Duration(median(lim)), time.Duration(median(raw))
	return nil
}

// stream runs one job over a real WebSocket with every check on: typed events in, typed events out, to its result.
func stream(open func(agents) (*site, error)) (time.Duration, error) {
	ctx := context.Background()
	s, err := open(agents{"bench": emitter(streamEvents)})
	if err != nil {
		return 0, err
	}
	session, stop, err := s.session()
	if err != nil {
		return 0, err
	}
	defer stop()
	start := time.Now()
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "bench"})
	if err != nil {
		return 0, err
	}
	n, err := drain(ctx, job)
	if err == nil && n < streamEvents {
		err = fmt.Errorf("%d events of %d arrived", n, streamEvents)
	}
	return time.Since(start), err
}

// emitter is the agent that emits n small events and is done.
func emitter(n int) arcprt.AgentFunc {
	return func(ctx context.Context, t *arcprt.Task) error { return emit(ctx, t, n) }
}

func emit(ctx context.Context, t *arcprt.Task, n int) error {
	for range n {
		if err := t.Emit(ctx, smallBody()); err != nil {
			return err
		}
	}
	return nil
}
