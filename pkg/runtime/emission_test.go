package runtime_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// runAgent submits a job of an agent that is f, and returns when f did.
func runAgent(t *testing.T, b *bench, served *sync.WaitGroup, f func(ctx context.Context, task *runtime.Task)) {
	t.Helper()
	done := make(chan struct{})
	if err := b.Handle("f", runtime.AgentFunc(func(ctx context.Context, task *runtime.Task) error {
		defer close(done)
		f(ctx, task)
		return nil
	})); err != nil {
		t.Fatal(err)
	}
	c, hello := enter(t, b, served, "alice", nil)
	say(t, c, &arcp.Envelope{ID: "1", SessionID: hello.SessionID, Payload: &arcp.JobSubmit{Agent: "f"}})
	if e := hear(t, c); e.JobID == "" {
		t.Fatalf("the submit got %+v", e.Payload)
	}
	go func() { // what comes is not looked at
		for {
			if _, err := c.Read(nil); err != nil {
				return
			}
		}
	}()
	<-done
}

// An agent that is faster than its rate waits, and not a nanosecond longer than it has to; several at once share it.
//
// guards T10
func TestEventRate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		rate, events int64
		emitters     int64
		want         time.Duration
	}{
		{"in time", 10, 10, 1, 0},
		{"one more", 10, 11, 1, time.Second / 10},
		{"many", 10, 35, 1, 2500 * time.Millisecond},
		{"taken in blocks", 6400, 6400 + 640, 1, time.Second / 10},
		{"shared", 10, 30, 4, 2 * time.Second},
		{"without bound", -1, 5000, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inBench(t, func(l *runtime.Limits) { l.JobEventRate = c.rate }, func(b *bench, served *sync.WaitGroup) {
				runAgent(t, b, served, func(ctx context.Context, task *runtime.Task) {
					start := time.Now()
					var emitters sync.WaitGroup
					for n := range c.emitters {
						emitters.Go(func() {
							for range (c.events + n) / c.emitters {
								if err := think(ctx, task, "m"); err != nil {
									t.Error(err)
								}
							}
						})
					}
					emitters.Wait()
					if took := time.Since(start); took != c.want {
						t.Errorf("%d events took %s, want %s", c.events, took, c.want)
					}
				})
			})
		})
	}
}

// Who waits for its turn stops waiting when its time is over.
func TestEventRateEndsWithContext(t *testing.T) {
	t.Parallel()
	inBench(t, func(l *runtime.Limits) { l.JobEventRate = 1 }, func(b *bench, served *sync.WaitGroup) {
		runAgent(t, b, served, func(ctx context.Context, task *runtime.Task) {
			ctx, cancel := context.WithTimeout(ctx, time.Second/2)
			defer cancel()
			_ = think(ctx, task, "one")
			if err := think(ctx, task, "two"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Emit = %v, want the end of its context", err)
			}
		})
	})
}

// What a job may emit, and what is kept for its principal, is bounded; the job still ends, and what is forgotten makes room.
//
// guards T10
func TestStoredBytes(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 1000)
	flood := func(t *testing.T, limit string) func(context.Context, *runtime.Task) {
		return func(ctx context.Context, task *runtime.Task) {
			for n := range 100 {
				err := think(ctx, task, text)
				if err == nil {
					_ = task.Flush(ctx)
					continue
				}
				var refused *arcp.Error
				if !errors.As(err, &refused) || refused.Code != arcp.CodeBackpressure || !strings.Contains(string(refused.Details), limit) {
					t.Errorf("Emit = %v %s, want BACKPRESSURE for %s", err, refused.Details, limit)
				}
				if n < 8 || n > 10 {
					t.Errorf("%d events were taken, want those of 10000 bytes", n)
				}
				return
			}
			t.Error("nothing was refused")
		}
	}
	t.Run("job", func(t *testing.T) {
		t.Parallel()
		inBench(t, func(l *runtime.Limits) { l.JobBytes = 10_000 }, func(b *bench, served *sync.WaitGroup) {
			runAgent(t, b, served, flood(t, `"job_bytes"`))
			synctest.Wait()
			if s := b.Stats(); s.Ended[arcp.StatusSuccess] != 1 {
				t.Errorf("Stats = %+v, want the job's end", s)
			}
		})
	})
	t.Run("principal", func(t *testing.T) {
		t.Parallel()
		limit := func(l *runtime.Limits) { l.PrincipalBytes, l.JobRetention = 10_000, time.Hour }
		inBench(t, limit, func(b *bench, served *sync.WaitGroup) {
			runAgent(t, b, served, flood(t, `"principal_bytes"`))
			c, hello := enter(t, b, served, "alice", nil)
			submit := func() string {
				say(t, c, &arcp.Envelope{ID: "1", SessionID: hello.SessionID, Payload: &arcp.JobSubmit{Agent: "echo"}})
				return over(t, hear(t, c))
			}
			if got := submit(); got != "BACKPRESSURE principal_bytes 10000" {
				t.Errorf("with as much kept as may be a submit got %q", got)
			}
			if s := b.Stats(); s.StoredBytes < 10_000 || s.StoredBytes > 12_000 {
				t.Errorf("%d bytes are kept, want a little over 10000", s.StoredBytes)
			}
			time.Sleep(2*time.Hour - time.Minute)
			synctest.Wait()
			if s := b.Stats(); s.StoredBytes != 0 {
				t.Errorf("%d bytes are kept of what is forgotten", s.StoredBytes)
			}
		})
	})
}

// A link on which nobody says anything, and where nothing is to come, ends where heartbeats were not agreed on; its session waits.
//
// guards T9
func TestIdle(t *testing.T) {
	t.Parallel()
	inBench(t, func(l *runtime.Limits) { l.Idle = time.Minute }, func(b *bench, served *sync.WaitGroup) {
		c, hello := enter(t, b, served, "alice", nil)
		start := time.Now()
		time.Sleep(50 * time.Second)
		say(t, c, &arcp.Envelope{ID: "1", SessionID: hello.SessionID, Payload: &arcp.JobSubmit{Agent: "sleep"}})
		for range 2 { // accepted, and an hour later the result
			hear(t, c)
		}
		lost, ok := hear(t, c).Payload.(*arcp.SessionError)
		if took := time.Since(start); !ok || lost.Code != arcp.CodeHeartbeatLost || took != 50*time.Second+time.Hour+time.Minute {
			t.Errorf("after %s: %+v, want HEARTBEAT_LOST a minute after the result", took, lost)
		}
		if _, err := c.Read(nil); err == nil {
			t.Error("the link goes on")
		}
		synctest.Wait()
		if s := b.Stats(); s.Connections != 0 || s.Parked != 1 {
			t.Errorf("Stats = %+v, want one parked session", s)
		}
	})
}
