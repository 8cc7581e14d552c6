package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
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
		o, err := stream()
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
func stream() (time.Duration, error) {
	ctx := context.Background()
	session, stop, err := serve(func(ctx context.Context, t *arcprt.Task) error {
		for range streamEvents {
			if err := t.Emit(ctx, smallBody()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	defer stop()
	start := time.Now()
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "bench"})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, err := range job.Events(ctx) {
		if err != nil {
			return 0, err
		}
		n++
	}
	if _, err := job.Result(ctx); err != nil {
		return 0, err
	}
	if n < streamEvents {
		return 0, fmt.Errorf("%d events of %d arrived", n, streamEvents)
	}
	return time.Since(start), nil
}

// serve starts a runtime with one agent on loopback and connects a client to it.
func serve(agent arcprt.AgentFunc) (*client.Session, func(), error) {
	rt, err := arcprt.New(&arcprt.Options{AllowAnyone: true})
	if err != nil {
		return nil, nil, err
	}
	if err := rt.Handle("bench", agent); err != nil {
		return nil, nil, err
	}
	h := ws.Handler(nil, func(ctx context.Context, c transport.Conn) { _ = rt.Serve(ctx, c) })
	s := httptest.NewServer(h)
	session, err := client.Connect(context.Background(), &ws.Dialer{URL: wsURL(s)}, &client.Options{Name: "bench", Token: "bench"})
	if err != nil {
		s.Close()
		return nil, nil, err
	}
	return session, func() {
		_ = session.Close(context.Background())
		_ = rt.Shutdown(context.Background())
		s.Close()
	}, nil
}
