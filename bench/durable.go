package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"time"

	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
)

// durableRows hold a runtime on a file against one in memory: the same stream of events, and the same submitters.
func durableRows() []row {
	return []row{
		{"events/s durable, power loss : in memory", ">=", 0.3, func() (string, float64, error) { return durableEvents(store.PowerLoss) }},
		{"events/s durable, process kill : in memory", ">=", 0.3, func() (string, float64, error) { return durableEvents(store.ProcessKill) }},
		{"jobs/s durable, 128 submitters : in memory", ">=", 0.02, func() (string, float64, error) { return durableJobs(store.PowerLoss) }},
		{"open a store of 1M events, s/100MB", "<=", 1, openStore},
	}
}

func durableEvents(level store.Durability) (string, float64, error) {
	var on, in []float64
	for range 5 {
		d, err := stream(func(a agents) (*site, error) { return openDurable(level, a) })
		if err != nil {
			return "", 0, err
		}
		m, err := stream(open)
		if err != nil {
			return "", 0, err
		}
		on, in = append(on, float64(d)), append(in, float64(m))
	}
	return rate(time.Duration(median(on))), median(in) / median(on), nil
}

func durableJobs(level store.Durability) (string, float64, error) {
	return compareRates("k/s", 1e3, func() (float64, error) {
		return jobRateOn(func(a agents) (*site, error) { return openDurable(level, a) }, 4000)
	}, func() (float64, error) { return jobRateOn(open, 8000) })
}

func jobRateOn(open func(agents) (*site, error), n int) (float64, error) {
	s, err := open(agents{"bench": quick})
	if err != nil {
		return 0, err
	}
	session, stop, err := s.session()
	if err != nil {
		return 0, err
	}
	defer stop()
	return jobs(session, "bench", many, n)
}

// openDurable is open on a store in a new directory, which goes with the site.
func openDurable(level store.Durability, all agents) (*site, error) {
	dir, err := os.MkdirTemp("", "arcp-bench-")
	if err != nil {
		return nil, err
	}
	st, err := sqlite.Open(context.Background(), dir, &sqlite.Options{Sync: level})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s, err := openWith(&arcprt.Options{Store: st}, all, (*httptest.Server).Start)
	if err != nil {
		return nil, errors.Join(err, st.Close(), os.RemoveAll(dir))
	}
	s.after = func() error { return errors.Join(st.Close(), os.RemoveAll(dir)) }
	return s, nil
}

// The store that is opened: so many events of so many jobs, in commits of a few, as a busy runtime makes them.
const (
	openEvents = 1_000_000
	openJobs   = 1_000
	openGroup  = 8
)

func openStore() (string, float64, error) {
	dir, err := os.MkdirTemp("", "arcp-bench-")
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := fill(dir); err != nil {
		return "", 0, err
	}
	info, err := os.Stat(dir + "/arcp.db")
	if err != nil {
		return "", 0, err
	}
	var took []float64
	for range 5 {
		start := time.Now()
		s, err := sqlite.Open(context.Background(), dir, nil)
		if err != nil {
			return "", 0, err
		}
		took = append(took, time.Since(start).Seconds())
		if err := s.Close(); err != nil {
			return "", 0, err
		}
	}
	sec := median(took)
	return fmt.Sprintf("%.2fs", sec), sec / (float64(info.Size()) / 100e6), nil
}

func fill(dir string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, dir, nil)
	if err != nil {
		return err
	}
	event, err := smallEvent().AppendJSON(nil)
	if err != nil {
		return err
	}
	var g store.Segment
	for range openGroup {
		g.Data = append(g.Data, event...)
		g.Ends = append(g.Ends, uint32(len(g.Data)))
	}
	for at := uint64(0); at < openEvents/openJobs && err == nil; at += openGroup {
		b := &store.Batch{}
		for j := range openJobs {
			op := store.Op{Key: store.Key{Kind: store.KindJob, ID: fmt.Sprintf("job_%026d", j)}, Epoch: 1, Head: at, Append: g}
			op.Append.First = at + 1
			op.Create = at == 0
			b.Ops = append(b.Ops, op)
		}
		err = s.Commit(ctx, b)
	}
	return errors.Join(err, s.Close())
}
