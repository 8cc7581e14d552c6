package main

import (
	"context"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// asks is how often each request of the unread rows is made.
const asks = 500

// unreadRows time the requests of a session one of whose jobs emits all the time and is read by nobody. Their ratio is in milliseconds.
func unreadRows() []row {
	var u unread
	pick := func(name string, of func() []time.Duration) row {
		return row{name, "<=", 10, func() (string, float64, error) {
			if err := u.measure(); err != nil {
				return "", 0, err
			}
			p99 := quantile(of(), 0.99)
			return p99.Round(10 * time.Microsecond).String(), float64(p99) / 1e6, nil
		}}
	}
	return []row{
		pick("list p99 beside an unread job, ms", func() []time.Duration { return u.list }),
		pick("submit p99 beside an unread job, ms", func() []time.Duration { return u.submit }),
		pick("cancel p99 beside an unread job, ms", func() []time.Duration { return u.cancel }),
	}
}

// unread is one measurement that three rows share.
type unread struct{ list, submit, cancel []time.Duration }

func (u *unread) measure() error {
	if u.list != nil {
		return nil
	}
	ctx := context.Background()
	s, err := open(agents{"flood": flood, "patient": patient})
	if err != nil {
		return err
	}
	session, stop, err := s.session()
	if err != nil {
		return err
	}
	defer stop()
	noise, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "flood"})
	if err != nil {
		return err
	}
	for range asks {
		if err := u.ask(ctx, session); err != nil {
			return err
		}
	}
	return noise.Cancel(ctx, "")
}

func (u *unread) ask(ctx context.Context, s *client.Session) error {
	start := time.Now()
	for _, err := range s.Jobs(ctx, nil) {
		if err != nil {
			return err
		}
		break // a page is one request
	}
	u.list = append(u.list, time.Since(start))
	start = time.Now()
	job, err := s.Submit(ctx, &arcp.JobSubmit{Agent: "patient"})
	if err != nil {
		return err
	}
	u.submit = append(u.submit, time.Since(start))
	start = time.Now()
	if err := job.Cancel(ctx, ""); err != nil {
		return err
	}
	u.cancel = append(u.cancel, time.Since(start))
	return nil
}

// flood emits about a hundred events a millisecond until it is cancelled: a load that the link can carry, for one that it cannot is cut.
func flood(ctx context.Context, t *arcprt.Task) error {
	for ctx.Err() == nil {
		if err := emit(ctx, t, 100); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return ctx.Err()
}

// patient waits to be cancelled.
func patient(ctx context.Context, _ *arcprt.Task) error {
	<-ctx.Done()
	return ctx.Err()
}
