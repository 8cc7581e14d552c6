package runtime

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// emission lets the events of one job through at its rate. Tokens are taken from the bucket some at a time, so that most events need
// neither a lock nor the time.
type emission struct {
	spare atomic.Int64 // tokens taken and not used; below zero when there are none

	mu     sync.Mutex
	bucket bucket
}

// maxSpare is how many tokens are taken at a time at most, and spareShare which part of those of a second.
const (
	maxSpare   = 64
	spareShare = 64
)

// pass waits for a token.
func (e *emission) pass(ctx context.Context, rt *Runtime) error {
	rate := rt.opts.Limits.JobEventRate
	for rate >= 0 && e.spare.Add(-1) < 0 {
		wait, ok := e.refill(rt.now(), rate)
		if ok {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
	return nil
}

// refill takes tokens from the bucket, the first for the caller, or says how long until there is one.
func (e *emission) refill(now time.Duration, rate int64) (wait time.Duration, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.spare.Load() > 0 {
		return 0, false // somebody else was here
	}
	n, wait := e.bucket.take(now, rate, rate, min(maxSpare, max(1, rate/spareShare)))
	if n > 0 {
		e.spare.Store(n - 1)
	}
	return wait, n > 0
}

// emit adds an event to the job's log, as soon as the limits of the job and of its principal allow, with what then says of a budget; nil is
// nothing.
func (j *job) emit(ctx context.Context, ev *arcp.JobEvent, then func() journal.Outcome) error {
	if j.closing.Load() {
		return ErrJobOver
	}
	if u := j.stored.usage; u != nil && u.full() {
		return overLimit(arcp.CodeBackpressure, limitPrincipalBytes, j.rt.opts.Limits.PrincipalBytes)
	}
	if err := j.emission.pass(ctx, j.rt); err != nil {
		return err
	}
	var err error
	if then == nil {
		_, err = j.log.Append(ctx, ev)
	} else {
		err = j.log.AppendWith(ctx, ev, journal.TypeBudget, then)
	}
	if errors.Is(err, journal.ErrFull) {
		full := overLimit(arcp.CodeBackpressure, limitJobBytes, j.rt.opts.Limits.JobBytes)
		full.Retryable = false
		return full
	}
	return err
}
