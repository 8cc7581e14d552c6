package journal

import (
	"context"
	"time"
)

// A log whose reader reads, and is more than half of its cap behind, is slowed down to no less than paceBytes in paceTime:
// 8 MiB a second. So an emitter without end does not outrun a reader that is nearly as fast and cost it its session. A
// reader that stops slows nobody down: each wait needs some progress since the one before.
const (
	paceBytes = 64 << 10
	paceTime  = 8 * time.Millisecond
)

// pacer is what a log remembers between waits. The log's lock guards it.
type pacer struct {
	debt int    // bytes staged since the last look
	seen uint64 // progress of the crowded reader at the last wait
}

// crowd notes whether the reader is more than half of its cap behind. The caller holds v.mu.
func (v *View) crowd() {
	behind := uint64(0)
	if v.waker != nil && !v.overrun && v.unwritten > v.seq.limits.UnwrittenBytes/2+v.allowed {
		behind = v.progress + 1
	}
	v.crowded.Store(behind)
}

// pace waits where the log is to be slowed down. The caller holds l.mu, which is let go over the wait.
func (l *Log) pace(ctx context.Context) error {
	if l.pacer.debt < paceBytes {
		return nil
	}
	l.pacer.debt = 0
	slow := false
	for _, v := range *l.views.Load() {
		if progress := v.crowded.Load(); progress != 0 && progress != l.pacer.seen {
			l.pacer.seen, slow = progress, true
		}
	}
	if !slow {
		return nil
	}
	l.mu.Unlock()
	defer l.mu.Lock()
	l.seq.kick()
	t := time.NewTimer(paceTime)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
