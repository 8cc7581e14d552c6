package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
)

const days = 24 * time.Hour

// TestResumeWindows holds each window to the second, from the disconnect. guards C11.
func TestResumeWindows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		window time.Duration
		after  time.Duration
		want   bool
	}{
		{0, 600*time.Second - 1, true}, // the default
		{0, 600*time.Second + 1, false},
		{-1, 0, false}, // sessions end with their link
		{time.Second, time.Second - 1, true},
		{time.Second, time.Second + 1, false},
		{50 * days, 50*days - 1, true},
		{50 * days, 50*days + 1, false},
		{math.MaxInt64, 100 * 365 * days, true},
	} {
		t.Run(fmt.Sprint(c.window, " ", c.after), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, func(o *runtime.Options) { o.Limits.ResumeWindow = c.window })
				defer b.stop(t)
				var served sync.WaitGroup
				defer served.Wait()
				token, session := park(t, b, &served)
				time.Sleep(c.after)
				if got := resumes(t, b, &served, session, token); got != c.want {
					t.Errorf("resumed: %v, want %v", got, c.want)
				}
			})
		})
	}
}

// park opens a session and drops its link.
func park(t *testing.T, b *bench, served *sync.WaitGroup) (token arcp.Secret, session string) {
	t.Helper()
	ours, theirs := transport.Pipe()
	served.Go(func() { _ = b.Serve(context.Background(), ours) })
	say(t, theirs, &arcp.Envelope{ID: "h", Payload: &arcp.SessionHello{
		Client: arcp.Software{Name: "test"}, Auth: arcp.Auth{Token: arcp.MakeSecret("alice")},
	}})
	w := hear(t, theirs)
	if err := theirs.Close(""); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return w.Payload.(*arcp.SessionWelcome).ResumeToken, w.SessionID
}

func resumes(t *testing.T, b *bench, served *sync.WaitGroup, session string, token arcp.Secret) bool {
	t.Helper()
	ours, theirs := transport.Pipe()
	served.Go(func() { _ = b.Serve(context.Background(), ours) })
	say(t, theirs, &arcp.Envelope{ID: "h", Payload: &arcp.SessionHello{
		Client: arcp.Software{Name: "test"}, Auth: arcp.Auth{Token: arcp.MakeSecret("alice")},
		Resume: &arcp.Resume{SessionID: session, ResumeToken: token},
	}})
	_, welcome := hear(t, theirs).Payload.(*arcp.SessionWelcome)
	_ = theirs.Close("")
	return welcome
}

// TestDeadlines ends a job at max_runtime_sec and not a moment before, however long that is. guards C11, C12.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	for _, limit := range []uint64{1, 60, 50*24*3600 + 7} { // at no moment at which an idle link is looked at
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			bounded(t, nil, func(t *testing.T, _ *bench, c transport.Conn, session string) {
				say(t, c, &arcp.Envelope{ID: "m", SessionID: session, Payload: &arcp.JobSubmit{Agent: "wait", MaxRuntimeSec: &limit}})
				hear(t, c)
				start := time.Now()
				end, ok := hear(t, c).Payload.(*arcp.JobError)
				if took := time.Since(start); !ok || end.Code != arcp.CodeTimeout || took != time.Duration(limit)*time.Second {
					t.Errorf("after %v: %+v, want TIMEOUT after %d s", took, end, limit)
				}
			})
		})
	}
}

// TestHeartbeatIntervals: the first ping comes after the interval, rounded to whole seconds as the welcome tells it; off is off.
func TestHeartbeatIntervals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ set, want time.Duration }{
		{0, 30 * time.Second},
		{time.Millisecond, time.Second},
		{1500 * time.Millisecond, time.Second},
		{50 * days, 50 * days},
		{math.MaxInt64, 0},
		{-1, 0},
	} {
		t.Run(fmt.Sprint(c.set), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, func(o *runtime.Options) { o.Limits.HeartbeatInterval, o.Limits.Idle = c.set, -1 })
				defer b.stop(t)
				var served sync.WaitGroup
				defer served.Wait()
				ours, theirs := transport.Pipe()
				served.Go(func() { _ = b.Serve(context.Background(), ours) })
				say(t, theirs, &arcp.Envelope{ID: "h", Payload: &arcp.SessionHello{
					Client: arcp.Software{Name: "test"}, Auth: arcp.Auth{Token: arcp.MakeSecret("alice")},
					Capabilities: &arcp.ClientCapabilities{Features: []arcp.Feature{arcp.FeatureHeartbeat}},
				}})
				hear(t, theirs)
				start := time.Now()
				stop := time.AfterFunc(60*days, func() { _ = theirs.Close("") })
				defer stop.Stop()
				frame, err := theirs.Read(nil)
				if c.want == 0 {
					if took := time.Since(start); err == nil || took != 60*days {
						t.Errorf("after %v: %s, %v, want silence", took, frame, err)
					}
					return
				}
				if took := time.Since(start); err != nil || took != c.want {
					t.Errorf("the first ping came after %v (%v), want %v", took, err, c.want)
				}
				_ = theirs.Close("")
			})
		})
	}
}

// TestHandshakeDeadline: the default, and one that was set.
func TestHandshakeDeadline(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ set, want time.Duration }{{0, 10 * time.Second}, {-1, 10 * time.Second}, {time.Minute, time.Minute}} {
		t.Run(fmt.Sprint(c.set), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, func(o *runtime.Options) { o.Limits.Handshake = c.set })
				defer b.stop(t)
				ours, theirs := transport.Pipe()
				start := time.Now()
				go func() { _, _ = theirs.Read(nil) }()
				if err := b.Serve(context.Background(), ours); errors.Is(err, runtime.ErrShutdown) {
					t.Error(err)
				}
				if took := time.Since(start); took != c.want {
					t.Errorf("a silent link was closed after %v, want %v", took, c.want)
				}
				_ = theirs.Close("")
			})
		})
	}
}
