package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Next returns the job's next event, in the runtime's order, each once, over as many links as it takes. Its end is io.EOF once the job has
// ended, however it ended; see Result. When the session ended first it returns the session's Err, behind all events that came. ctx
// bounds the wait. One goroutine at a time; another one gets ErrBusy.
//
// Unread events past Options.EventBytes are fetched again from the runtime when their turn comes. Where it cannot do that, or keeps them
// no longer, Next returns ErrEventsShed once in their place and goes on behind them.
//
// An event counts as processed, and is acknowledged in time (§6.5), when Next is called for the one after it. The event is the caller's,
// but what it points to came in one block with its neighbours: who keeps one small event for long clones it.
func (j *Job) Next(ctx context.Context) (*arcp.Event, error) {
	if !j.reading.CompareAndSwap(false, true) {
		return nil, ErrBusy
	}
	defer j.reading.Store(false)
	j.settle()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if ev := j.pop(); ev != nil {
			return ev, nil
		}
		wait, err := j.refill()
		switch {
		case errors.Is(err, errBehind):
			if err := j.fetch(ctx, &j.order); err != nil {
				return nil, err
			}
			continue
		case err != nil:
			return nil, err
		case wait == nil:
			continue
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// settle counts what was returned last as processed.
func (j *Job) settle() {
	if j.held == nil {
		return
	}
	if len(j.batch) > 0 {
		j.past.Store(j.batch[0][j.at].behind) // before read: whoever looks at both looks at read first
	}
	j.read.Store(j.held.event.Seq)
	j.held = nil
	j.session.touch()
	if j.sinceAck++; j.sinceAck == ackEvery {
		j.sinceAck = 0
		j.session.ackNow()
	}
}

// pop returns the next event of the batch, nil when there is none left.
func (j *Job) pop() *arcp.Event {
	if len(j.batch) == 0 {
		return nil
	}
	block := j.batch[0]
	j.held = &block[j.at]
	if j.at++; j.at == len(block) {
		j.batch[0] = nil
		j.batch, j.at = j.batch[1:], 0
	}
	return &j.held.event
}

// errBehind says that what comes next has to be fetched.
var errBehind = errors.New("behind")

// refill takes what is queued, or says what to wait for, or why there is no more.
func (j *Job) refill() (<-chan struct{}, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	q := &j.queue
	j.owed = j.owed && j.gap != nil // a gap that was told is processed, as an event is, when Next is called again
	switch {
	case j.gap != nil: // it is found where nothing is queued: what is now came behind it
		err := j.gap
		j.gap = nil
		return nil, err
	case q.shed > 0:
		n := q.shed
		q.shed = 0
		return nil, fmt.Errorf("%w: %d of job %s", ErrEventsShed, n, j.id)
	case len(q.blocks) > 0:
		j.batch = q.take()
		return nil, nil
	case j.complete:
		j.drained = true
		j.heard.Store(true)
		j.session.jobs.drained(j, j.chunks.awaited())
		return nil, io.EOF
	case j.lost != nil:
		return nil, j.lost
	case j.order.ask():
		return nil, errBehind
	}
	if q.ready == nil {
		q.ready = make(chan struct{}, 1)
	}
	select {
	case <-q.ready: // of a wait that was given up
	default:
	}
	q.waiting = true
	return q.ready, nil
}

// Events yields what Next returns until the job's end. An error other than ErrEventsShed is the last it yields; the end itself is none.
func (j *Job) Events(ctx context.Context) iter.Seq2[*arcp.Event, error] {
	return func(yield func(*arcp.Event, error) bool) {
		for {
			ev, err := j.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(ev, err) || err != nil && !errors.Is(err, ErrEventsShed) {
				return
			}
		}
	}
}
