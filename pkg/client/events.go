package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Next returns the job's next event, in the runtime's order. Its end is io.EOF once the job has ended, however it ended; see Result.
// When events were shed it returns ErrEventsShed once in their place and goes on behind them. When the link ended first it returns
// ErrLinkLost, behind all events that came. ctx bounds the wait. One goroutine at a time; another one gets ErrBusy.
//
// The event is the caller's, but what it points to came in one block with its neighbours: who keeps one small event for long clones it.
func (j *Job) Next(ctx context.Context) (*arcp.Event, error) {
	if !j.reading.CompareAndSwap(false, true) {
		return nil, ErrBusy
	}
	defer j.reading.Store(false)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if ev := j.pop(); ev != nil {
			return ev, nil
		}
		wait, err := j.refill()
		if err != nil {
			return nil, err
		}
		if wait == nil {
			continue
		}
		select {
		case <-wait:
		case <-j.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pop returns the next event of the batch, nil when there is none left.
func (j *Job) pop() *arcp.Event {
	if len(j.batch) == 0 {
		return nil
	}
	block := j.batch[0]
	ev := &block[j.at].event
	if j.at++; j.at == len(block) {
		j.batch[0] = nil
		j.batch, j.at = j.batch[1:], 0
	}
	return ev
}

// refill takes what is queued, or says what to wait for, or why there is no more.
func (j *Job) refill() (<-chan struct{}, error) {
	ended := false
	select {
	case <-j.done: // looked at before the queue, which nothing is added to afterwards
		ended = true
	default:
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	q := &j.queue
	switch {
	case q.shed > 0:
		n := q.shed
		q.shed = 0
		return nil, fmt.Errorf("%w: %d of job %s", ErrEventsShed, n, j.id)
	case len(q.blocks) > 0:
		j.batch = q.take()
		return nil, nil
	case ended && errors.Is(j.err, ErrLinkLost):
		return nil, j.err
	case ended:
		return nil, io.EOF
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
