package main

import (
	"context"
	"fmt"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

func subscriberRows() []row {
	return []row{{"deliveries/s, 100 subscribers : 1", ">=", 0.8, func() (string, float64, error) {
		return compareRates("k/s", 1e3, func() (float64, error) { return deliveryRate(100, 3000) }, func() (float64, error) { return deliveryRate(1, 100_000) })
	}}}
}

// deliveryRate is how many events a second reach readers when so many sessions read all events of one job. The session that submitted
// it has gone by then.
func deliveryRate(subscribers, events int) (float64, error) {
	ready := make(chan struct{})
	s, err := open(agents{"bench": func(ctx context.Context, t *arcprt.Task) error {
		select {
		case <-ready:
		case <-ctx.Done():
		}
		return emit(ctx, t, events)
	}})
	if err != nil {
		return 0, err
	}
	defer func() { _ = s.close() }()
	id, err := s.leave("bench")
	if err != nil {
		return 0, err
	}
	all := make([]*client.Job, subscribers)
	for i := range all {
		session, err := s.connect()
		if err != nil {
			return 0, err
		}
		defer func() { _ = session.Close(context.Background()) }()
		if all[i], err = session.Subscribe(context.Background(), id, nil); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	close(ready)
	err = readAll(all, events)
	return float64(subscribers*events) / time.Since(start).Seconds(), err
}

// leave submits a job and closes the session, at which the job goes on.
func (s *site) leave(agent string) (jobID string, err error) {
	ctx := context.Background()
	session, err := s.connect()
	if err != nil {
		return "", err
	}
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: agent})
	if err != nil {
		return "", err
	}
	return job.ID(), session.Close(ctx)
}

func readAll(all []*client.Job, events int) (err error) {
	done := make(chan error, len(all))
	for _, job := range all {
		go func() {
			n, err := drain(context.Background(), job)
			if err == nil && n < events {
				err = fmt.Errorf("%d events of %d arrived", n, events)
			}
			done <- err
		}()
	}
	for range all {
		if e := <-done; e != nil {
			err = e
		}
	}
	return err
}
