package runtime_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
)

// TestInputGoesWithTheJob: a finished job is remembered for a day, and its input is not.
func TestInputGoesWithTheJob(t *testing.T) {
	t.Parallel()
	tasks := make(chan *runtime.Task, 1)
	bounded(t, nil, func(t *testing.T, b *bench, c transport.Conn, session string) {
		keep := func(_ context.Context, t *runtime.Task) error { tasks <- t; return t.SetResult(t.Input()) }
		if err := b.Handle("keep", runtime.AgentFunc(keep)); err != nil {
			t.Fatal(err)
		}
		say(t, c, &arcp.Envelope{ID: "m", SessionID: session, Payload: &arcp.JobSubmit{Agent: "keep", Input: arcp.RawJSON(`"in"`)}})
		hear(t, c)
		if end, ok := hear(t, c).Payload.(*arcp.JobResult); !ok || string(end.Result) != `"in"` {
			t.Errorf("the job ended with %+v", end)
		}
		if in := (<-tasks).Input(); in != nil {
			t.Errorf("the input %s is kept", in)
		}
	})
}

// TestLeasesOfFinishedJobsCount: what is kept of finished jobs is bounded with all that is kept of them, their leases too.
func TestLeasesOfFinishedJobsCount(t *testing.T) {
	t.Parallel()
	bounded(t, func(o *runtime.Options) { o.Limits.FinishedBytes = 1 << 20 }, func(t *testing.T, b *bench, c transport.Conn, session string) {
		lease := arcp.Lease{"tool.call": nil}
		for i := range 100 {
			lease["tool.call"] = append(lease["tool.call"], fmt.Sprint(i, strings.Repeat("x", 1000)))
		}
		for range 20 {
			say(t, c, &arcp.Envelope{ID: "m", SessionID: session, Payload: &arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1"), LeaseRequest: lease}})
			hear(t, c)
			hear(t, c)
		}
		page, err := b.Store.Jobs(t.Context(), "alice", store.Filter{}, store.Cursor{}, 100)
		if n := len(page.Rows); err != nil || n > 10 {
			t.Errorf("%d jobs with leases of 100 kB are kept in 1 MiB, %v", n, err)
		}
	})
}

// TestFinishedJobsByTheirKeys: a session that asks for jobs by their keys and is given their ends keeps nothing of them.
func TestFinishedJobsByTheirKeys(t *testing.T) {
	t.Parallel()
	bounded(t, func(o *runtime.Options) { o.Shared = true }, func(t *testing.T, b *bench, c transport.Conn, session string) {
		submit := func(c transport.Conn, session string, i int) *arcp.Envelope {
			say(t, c, &arcp.Envelope{ID: "m", SessionID: session, Payload: &arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1"), IdempotencyKey: fmt.Sprint(i)}})
			accepted := hear(t, c)
			if end := hear(t, c); end.Type != arcp.TypeJobResult || end.JobID != accepted.JobID {
				t.Fatalf("job %d: %+v", i, end)
			}
			return accepted
		}
		var served sync.WaitGroup
		defer served.Wait()
		again, welcome := greet(t, b, &served, nil)
		defer func() { _ = again.Close("") }()
		jobs := map[string]bool{}
		for i := range 20 {
			jobs[submit(c, session, i).JobID] = true
			jobs[submit(again, welcome.SessionID, i).JobID] = true
		}
		if len(jobs) != 20 {
			t.Errorf("20 keys led to %d jobs", len(jobs))
		}
		head, err := b.Store.Lookup(t.Context(), store.Key{Kind: store.KindSession, ID: welcome.SessionID})
		if n := bytes.Count(head.Snapshot, []byte(arcp.PrefixJob)); err != nil || n > 1 {
			t.Errorf("the session keeps %d of them, %v", n, err)
		}
	})
}

// TestKeyedJobsDriveOutNoOthers: jobs that must be kept for their keys leave the others their place. guards B7.
func TestKeyedJobsDriveOutNoOthers(t *testing.T) {
	t.Parallel()
	bounded(t, func(o *runtime.Options) { o.Limits.FinishedBytes = 4 << 10 }, func(t *testing.T, b *bench, c transport.Conn, session string) {
		for i := range 21 {
			submit := &arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1")}
			if i > 0 {
				submit.IdempotencyKey = fmt.Sprint(i)
			}
			say(t, c, &arcp.Envelope{ID: "m", SessionID: session, Payload: submit})
			hear(t, c)
			hear(t, c)
		}
		page, err := b.Store.Jobs(t.Context(), "alice", store.Filter{}, store.Cursor{}, 100)
		if n := len(page.Rows); err != nil || n != 21 {
			t.Errorf("%d jobs are kept, %v, want 20 for their keys and one more", n, err)
		}
	})
}
