package journal

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type nobody struct{}

func (nobody) Wake() {}

// emitMany emits n events of about a kilobyte without a pause and returns how long that took.
func emitMany(t *testing.T, l *Log, n int) time.Duration {
	t.Helper()
	text := strings.Repeat("x", 1000)
	start := time.Now()
	for range n {
		if _, err := l.Append(t.Context(), thought(text)); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(start)
}

// TestPace: a reader that reads 10 MiB a second is not outrun by an emitter without end; when the reader stops, the emitter
// waits one moment more and then never again. guards B6.
func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limits := testLimits
		limits.UnwrittenBytes = 4 << 20
		r, _, l := newTestView(t, limits)
		r.SetWaker(nobody{})
		stop := make(chan struct{})
		failed := make(chan error, 1)
		go func() {
			defer close(failed)
			for {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
				}
				if _, _, _, err := r.AppendFrames(nil, nil, 100<<10, 1000); err != nil {
					failed <- err
					return
				}
			}
		}()
		emitMany(t, l, 20_000)
		close(stop)
		if err := <-failed; err != nil {
			t.Errorf("the reader was given up: %v", err)
		}
		if took := emitMany(t, l, 5_000); took > 2*paceTime {
			t.Errorf("a reader that stopped held the emitter up for %v", took)
		}
		if _, _, _, err := r.AppendFrames(nil, nil, 1, 1); !errors.Is(err, ErrOverrun) {
			t.Errorf("AppendFrames = %v, want ErrOverrun for the reader that stopped", err)
		}
	})
}

// TestNoPaceWithoutReader: nobody waits for a session that has no link.
func TestNoPaceWithoutReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limits := testLimits
		limits.UnwrittenBytes = 1 << 20
		_, _, l := newTestView(t, limits)
		if took := emitMany(t, l, 5_000); took > 0 {
			t.Errorf("emitting to a parked session took %v", took)
		}
	})
}
