package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// What a runtime, a session and, for events, a job have behind them when they are held against new ones.
const (
	agedEvents = 1_000_000
	agedJobs   = 100_000
)

// growthRows hold what is done late against the same at the start.
func growthRows() []row {
	byEvents := func(p *pump) error { return p.eventsIn(agedEvents, agedEvents/50) }
	byJobs := func(p *pump) error {
		_, err := jobs(p.session, "quick", many, agedJobs)
		return err
	}
	return []row{
		{"event after 1M events : at the start", "<=", 1.1, func() (string, float64, error) { return growth(byEvents, eventTime) }},
		{"event after 100k jobs : at the start", "<=", 1.1, func() (string, float64, error) { return growth(byJobs, eventTime) }},
		{"job after 100k jobs : at the start", "<=", 1.1, func() (string, float64, error) { return growth(byJobs, jobTime) }},
	}
}

// growth measures in turn on one pump that was aged and on new ones.
func growth(age func(*pump) error, measure func(*pump) (float64, error)) (figure string, ratio float64, err error) {
	old, err := newPump()
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, old.close()) }()
	if err := age(old); err != nil {
		return "", 0, err
	}
	const rounds = 11
	ns, ratio, err := alternate(rounds, func() (float64, error) { return measure(old) }, func() (float64, error) {
		young, err := newPump()
		if err != nil {
			return 0, err
		}
		ns, err := measure(young)
		return ns, errors.Join(err, young.close())
	})
	return nanos(ns), ratio, err
}

// eventTime is nanoseconds an event, from the agent to the reader.
func eventTime(p *pump) (float64, error) {
	const warm, n = 10_000, 100_000
	if err := p.events(warm); err != nil {
		return 0, err
	}
	start := time.Now()
	err := p.events(n)
	return float64(time.Since(start)) / n, err
}

// jobTime is nanoseconds a job, of many submitters.
func jobTime(p *pump) (float64, error) {
	const warm, n = 500, 4000
	if _, err := jobs(p.session, "quick", many, warm); err != nil {
		return 0, err
	}
	perSecond, err := jobs(p.session, "quick", many, n)
	return 1e9 / perSecond, err
}

// pump is a session with a job that emits as many events as it is told.
type pump struct {
	site    *site
	session *client.Session
	job     *client.Job
	orders  chan int
}

func newPump() (*pump, error) {
	p := &pump{orders: make(chan int)}
	var err error
	if p.site, err = open(agents{"pump": p.run, "quick": quick}); err != nil {
		return nil, err
	}
	if p.session, err = p.site.connect(); err == nil {
		p.job, err = p.session.Submit(context.Background(), &arcp.JobSubmit{Agent: "pump"})
	}
	if err != nil {
		return nil, errors.Join(err, p.site.close())
	}
	return p, nil
}

func (p *pump) run(ctx context.Context, t *arcprt.Task) error {
	for n := range p.orders {
		if err := emit(ctx, t, n); err != nil {
			return err
		}
	}
	return nil
}

// events has n events emitted and reads them.
func (p *pump) events(n int) error {
	p.orders <- n
	for range n {
		if _, err := p.job.Next(context.Background()); err != nil {
			return fmt.Errorf("an event of %d: %w", n, err)
		}
	}
	return nil
}

func (p *pump) eventsIn(n, portion int) error {
	for ; n > 0; n -= portion {
		if err := p.events(portion); err != nil {
			return err
		}
	}
	return nil
}

func (p *pump) close() error {
	close(p.orders)
	_, err := p.job.Result(context.Background())
	return errors.Join(err, p.session.Close(context.Background()), p.site.close())
}
