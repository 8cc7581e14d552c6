package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// TestExpiryIsExact: the gate closes at the instant, before it asks about money and patterns; an agent that goes on is cut off a
// second later.
func TestExpiryIsExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var audit bytes.Buffer
		var verdicts []string
		start := time.Now()
		heard := underLease(t, func(o *runtime.Options) { o.Audit = slog.New(slog.NewTextHandler(&audit, nil)) }, &arcp.JobSubmit{
			LeaseRequest:     arcp.Lease{"fs.read": {"/w/**"}, "cost.budget": {"USD:1"}},
			LeaseConstraints: &arcp.LeaseConstraints{ExpiresAt: start.Add(time.Minute).UTC()},
		}, func(ctx context.Context, task *runtime.Task) error {
			ask := func(target string) {
				err := task.Authorize(ctx, "fs.read", target)
				verdicts = append(verdicts, string(arcp.CodeOf(err)))
			}
			time.Sleep(time.Minute - 1)
			ask("/w/a")
			ask("/etc")
			_ = task.Metric(ctx, "cost.x", "1", "USD")
			ask("/etc")
			time.Sleep(time.Nanosecond)
			ask("/etc")
			if synctest.Wait(); !errors.Is(context.Cause(ctx), runtime.ErrExpired) {
				verdicts = append(verdicts, "not told")
			}
			time.Sleep(time.Hour)
			return nil
		})
		want := []string{"", "PERMISSION_DENIED", "BUDGET_EXHAUSTED", "LEASE_EXPIRED"}
		if !slices.Equal(verdicts, want) {
			t.Errorf("verdicts = %q, want %q", verdicts, want)
		}
		end, ok := heard[len(heard)-1].Payload.(*arcp.JobError)
		took := time.Since(start)
		if !ok || end.Code != arcp.CodeLeaseExpired || end.Retryable || end.FinalStatus != arcp.StatusError {
			t.Errorf("the end = %+v, want LEASE_EXPIRED, not retryable", heard[len(heard)-1].Payload)
		}
		if took < time.Minute+time.Second {
			t.Errorf("ended after %v", took)
		}
		if !strings.Contains(audit.String(), "msg=expire outcome=ok principal=alice") || !strings.Contains(audit.String(), "the lease has expired") {
			t.Errorf("the audit log tells of no expiry: %s", audit.String())
		}
		time.Sleep(time.Hour) // until the agent has noticed
	})
}

// TestExpiryEndsJobs at the instant when the agent obeys, and a second later when it does not.
func TestExpiryEndsJobs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		agent runtime.AgentFunc
		after time.Duration
	}{
		"obeys":    {func(ctx context.Context, _ *runtime.Task) error { <-ctx.Done(); return nil }, 0},
		"stubborn": {func(context.Context, *runtime.Task) error { time.Sleep(time.Hour); return nil }, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := &nodes{steps: make(chan struct{})}
				b := newBench(t, nil)
				if err := b.Handle("agent", c.agent); err != nil {
					t.Fatal(err)
				}
				p := n.join(t, b, "alice", arcp.FeatureLeaseExpiresAt)
				start := time.Now()
				p.submit(&arcp.JobSubmit{Agent: "agent", LeaseConstraints: &arcp.LeaseConstraints{ExpiresAt: start.Add(time.Minute).UTC()}})
				p.want("job.error LEASE_EXPIRED false")
				if took := time.Since(start); took != time.Minute+c.after {
					t.Errorf("ended after %v, want %v", took, time.Minute+c.after)
				}
				p.close()
				b.stop(t)
				n.served.Wait()
				time.Sleep(time.Hour) // until the agent has noticed
			})
		})
	}
}

// TestExpiryOverARestart: the instant stays what it was, whether or not it came while nobody ran the job.
func TestExpiryOverARestart(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		p := l.join(t, l.a, "alice", arcp.FeatureLeaseExpiresAt)
		start := time.Now()
		submit := &arcp.JobSubmit{Agent: "again", LeaseConstraints: &arcp.LeaseConstraints{ExpiresAt: start.Add(time.Minute).UTC()}}
		p.submit(submit)
		time.Sleep(30 * time.Second)
		l.restart(t)
		p.resume(l.a, 0)
		p.want("job.accepted", `restarted {"attempt":2}`, "job.error LEASE_EXPIRED false")
		if took := time.Since(start); took != time.Minute {
			t.Errorf("ended after %v, want 1m0s", took)
		}
		submit.LeaseConstraints.ExpiresAt = time.Now().Add(time.Minute).UTC()
		p.submit(submit)
		l.die(t)
		time.Sleep(2 * time.Minute)
		l.begin(t)
		p.resume(l.a, 2)
		p.want("job.accepted", "job.error LEASE_EXPIRED false")
	})
}
