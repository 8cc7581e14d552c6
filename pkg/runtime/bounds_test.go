package runtime_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
)

// bounded runs f with a session of a runtime with the options that change sets.
func bounded(t *testing.T, change func(*runtime.Options), f func(t *testing.T, b *bench, c transport.Conn, session string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, change)
		defer b.stop(t)
		var served sync.WaitGroup
		defer served.Wait()
		c, session := client(t, b, &served)
		defer func() { _ = c.Close("") }()
		f(t, b, c, session)
	})
}

// TestMaxJobs: a session may have so many unfinished jobs and no more; an end makes room.
func TestMaxJobs(t *testing.T) {
	t.Parallel()
	bounded(t, func(o *runtime.Options) { o.Limits.SessionJobs = 2 }, func(t *testing.T, _ *bench, c transport.Conn, session string) {
		submit := func(id string) arcp.Payload {
			say(t, c, &arcp.Envelope{ID: id, SessionID: session, Payload: &arcp.JobSubmit{Agent: "wait"}})
			return hear(t, c).Payload
		}
		first, ok := submit("1").(*arcp.JobAccepted)
		if !ok {
			t.Fatal("the first job was refused")
		}
		submit("2")
		if e, ok := submit("3").(*arcp.SessionError); !ok || e.Code != arcp.CodeInternalError || e.RequestID != "3" {
			t.Errorf("the third job got %+v, want a refusal", e)
		}
		say(t, c, &arcp.Envelope{ID: "c", SessionID: session, Payload: &arcp.JobCancel{JobID: first.JobID}})
		hear(t, c) // cancelled
		hear(t, c) // the end
		if _, ok := submit("4").(*arcp.JobAccepted); !ok {
			t.Error("no job was taken after one had ended")
		}
	})
}

// TestFinishedJobsAreForgotten: by number, by bytes and by age, oldest first.
func TestFinishedJobsAreForgotten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*runtime.Options)
		wait   time.Duration
		want   int
	}{
		{"number", func(o *runtime.Options) { o.Limits.FinishedJobs = 3 }, 0, 3},
		{"bytes", func(o *runtime.Options) { o.Limits.FinishedBytes = 4700 }, 0, 5},
		{"young", func(o *runtime.Options) { o.Limits.JobRetention = time.Hour }, 59 * time.Minute, 10},
		{"old", func(o *runtime.Options) { o.Limits.JobRetention = time.Hour }, 2 * time.Hour, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bounded(t, c.change, func(t *testing.T, b *bench, conn transport.Conn, session string) {
				for i := range 10 {
					say(t, conn, &arcp.Envelope{ID: fmt.Sprint(i), SessionID: session, Payload: &arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1")}})
					hear(t, conn)
					hear(t, conn)
				}
				time.Sleep(c.wait)
				synctest.Wait()
				page, err := b.Store.Jobs(t.Context(), "alice", store.Filter{}, store.Cursor{}, 100)
				if err != nil || len(page.Rows) > c.want || len(page.Rows) < c.want-1 {
					t.Errorf("%d jobs are remembered, %v, want about %d", len(page.Rows), err, c.want)
				}
			})
		})
	}
}
