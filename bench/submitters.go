package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/client"
)

// many is how many goroutines submit on one session at a time.
const many = 128

func submitterRows() []row {
	return []row{{"jobs/s, 128 submitters : 1", ">=", 3, func() (string, float64, error) {
		return compareRates("k/s", 1e3, func() (float64, error) { return jobRate(many, 8000) }, func() (float64, error) { return jobRate(1, 2000) })
	}}}
}

// jobRate is how many jobs a second, each from its submit to its result, a new session does.
func jobRate(submitters, n int) (float64, error) {
	session, stop, err := serve(quick)
	if err != nil {
		return 0, err
	}
	defer stop()
	return jobs(session, "bench", submitters, n)
}

// jobs has so many submitters share n jobs and returns how many a second were done.
func jobs(s *client.Session, agent string, submitters, n int) (float64, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	start := time.Now()
	for range submitters {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := runJob(ctx, s, agent); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(n) / time.Since(start).Seconds(), context.Cause(ctx)
}
