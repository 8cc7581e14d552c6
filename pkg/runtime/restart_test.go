package runtime_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

const restarted = `job.error INTERNAL_ERROR true {"reason":"restarted"}`

// TestJobsAfterARestart: one that may runs again in the same log, one that may not ends with the reason, one that has ended is as it was.
// guards A19.
func TestJobsAfterARestart(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		p := l.join(t, l.a, "alice")
		done := p.submit(&arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1")})
		p.want("result 1")
		p.submit(&arcp.JobSubmit{Agent: "again"})
		l.steps <- struct{}{}
		p.want("step 1")
		p.submit(&arcp.JobSubmit{Agent: "stubborn"})
		l.restart(t)
		p.resume(l.a, 2)
		p.want("job.accepted", `restarted {"attempt":2}`, restarted)
		l.steps <- struct{}{}
		p.want("step 1")
		l.restart(t)
		p.resume(l.a, 4)
		p.want("step 1", `restarted {"attempt":3}`)
		close(l.steps)
		p.want(`result "done"`)
		w := l.join(t, l.a, "alice")
		w.say("s", &arcp.JobSubscribe{JobID: done, History: true})
		w.want("job.subscribed success from 0", "result 1")
	})
}

// TestAgentsWaitForSessions: none runs again before every session has its place back, so that none is left behind by a log that keeps little.
func TestAgentsWaitForSessions(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		const sessions = 40
		var early atomic.Int64
		l.agent = func(ctx context.Context, task *runtime.Task) error {
			if n := l.a.Stats().Parked; task.Attempt() > 1 && n != sessions {
				early.Add(1)
			}
			<-ctx.Done()
			return context.Cause(ctx)
		}
		l.restart(t)
		for range sessions {
			l.join(t, l.a, "alice").submit(&arcp.JobSubmit{Agent: "any"})
		}
		l.restart(t)
		synctest.Wait()
		if n := early.Load(); n > 0 {
			t.Errorf("%d agents ran before all sessions were there", n)
		}
	})
}

// TestCancelSurvives: what was asked to stop before the end of its runtime stops after it.
func TestCancelSurvives(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		p := l.join(t, l.a, "alice")
		id := p.submit(&arcp.JobSubmit{Agent: "stubborn"})
		p.say("c", &arcp.JobCancel{JobID: id, Reason: "enough"})
		p.want("job.cancelled")
		l.restart(t)
		p.resume(l.a, 0)
		p.want("job.accepted", "job.cancelled", `job.error CANCELLED false {"reason":"enough"}`)
	})
}

// TestSubscribedSurvives: an answer that was under way is said again, once.
func TestSubscribedSurvives(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		p, w := l.join(t, l.a, "alice"), l.join(t, l.a, "alice")
		id := p.submit(&arcp.JobSubmit{Agent: "again"})
		synctest.Wait()
		w.say("s", &arcp.JobSubscribe{JobID: id})
		w.want("job.subscribed running from 0")
		l.restart(t)
		l.restart(t)
		w.resume(l.a, 0)
		w.want("job.subscribed running from 0", `restarted {"attempt":2}`, `restarted {"attempt":3}`)
		w.resume(l.a, 1)
		w.want(`restarted {"attempt":3}`)
	})
}

// TestResultOfTheLastRun: what an earlier run streamed is not in it. guards C14.
func TestResultOfTheLastRun(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		p, bare := l.join(t, l.a, "alice"), l.join(t, l.a, "alice", arcp.FeatureSubscribe)
		id := p.submit(&arcp.JobSubmit{Agent: "twice"})
		synctest.Wait()
		bare.say("s", &arcp.JobSubscribe{JobID: id})
		bare.want("job.subscribed running from 3")
		l.restart(t)
		bare.resume(l.a, 0)
		bare.want("job.subscribed running from 3", `restarted {"attempt":2}`, `result "second run"`)
		p.resume(l.a, 0)
		first := ""
		ids := map[string]string{}
		for range 6 {
			e := hear(t, p.conn)
			ev, _ := e.Payload.(*arcp.JobEvent)
			if ev == nil {
				continue
			}
			if c, ok := ev.Body.(*arcp.ResultChunkBody); ok {
				if first == "" {
					first = c.ResultID
				}
				ids[c.ResultID] += c.Data
			}
		}
		if len(ids) != 2 || ids[first] != "first run, far fro" {
			t.Errorf("streams %v, want the pieces of two", ids)
		}
	})
}

// TestDeadlineSurvives: it is counted from the acceptance, over any number of restarts and whether the runtime was there or not.
func TestDeadlineSurvives(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		p := l.join(t, l.a, "alice")
		p.submit(maxRuntime(60, "again"))
		p.submit(maxRuntime(20, "again"))
		time.Sleep(10 * time.Second)
		l.die(t)
		time.Sleep(20 * time.Second)
		l.begin(t)
		p.resume(l.a, 0)
		p.want("job.accepted", "job.accepted")
		a, b := p.hear(), p.hear()
		if timeout := "job.error TIMEOUT true "; a != timeout && b != timeout {
			t.Errorf("heard %q and %q, want the shorter one timed out", a, b)
		}
		before := time.Now()
		p.want("job.error TIMEOUT true")
		if d := time.Since(before); d != 30*time.Second {
			t.Errorf("timed out %v after the restart, want 30s", d)
		}
	})
}

// TestWindowSurvives: a parked session has what was left of its window, one with a link has all of it, once.
func TestWindowSurvives(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		linked, parked := l.join(t, l.a, "alice"), l.join(t, l.a, "alice")
		parked.submit(&arcp.JobSubmit{Agent: "again"})
		parked.close()
		synctest.Wait()
		time.Sleep(4 * time.Minute)
		l.die(t)
		l.begin(t)
		if err := l.a.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		l.restart(t)
		time.Sleep(time.Minute - 1)
		if !l.has(t, store.KindSession, parked.session) {
			t.Error("the parked session ended early")
		}
		time.Sleep(2 * time.Nanosecond)
		synctest.Wait()
		if l.has(t, store.KindSession, parked.session) {
			t.Error("the parked session's window was renewed")
		}
		time.Sleep(4*time.Minute - 2)
		if !l.has(t, store.KindSession, linked.session) {
			t.Error("the session with a link ended early")
		}
		time.Sleep(2 * time.Nanosecond)
		synctest.Wait()
		if l.has(t, store.KindSession, linked.session) {
			t.Error("the session with a link waits longer than its window")
		}
		l.die(t)
		time.Sleep(time.Hour)
		l.begin(t)
	})
}

// TestOverWhileDown: a session whose window passed while no runtime was there cannot be resumed.
func TestOverWhileDown(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		p := l.join(t, l.a, "alice")
		p.close()
		synctest.Wait()
		l.die(t)
		time.Sleep(11 * time.Minute)
		l.begin(t)
		p.claim(l.a, "alice", p.token, 0)
		p.want("session.error RESUME_WINDOW_EXPIRED")
	})
}

// TestOldTokenAfterALostWelcome: a welcome that was committed and not heard leaves the token before it good, and one that was heard too.
// guards A14.
func TestOldTokenAfterALostWelcome(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		p := l.join(t, l.a, "alice")
		old := p.token
		p.resume(l.a, 0)
		l.restart(t)
		p.token, old = old, p.token // as if it had not been heard
		p.resume(l.a, 0)
		l.restart(t)
		p.resume(l.a, 0)
		p.say("l", &arcp.SessionListJobs{})
		p.want("session.jobs")
		p.claim(l.a, "alice", old, 0)
		p.want("session.error RESUME_WINDOW_EXPIRED")
	})
}

// TestKeysAfterARestart: a key leads to its job while that runs and after its end, for its time; a reservation without a job is free at once.
// guards D4, D5.
func TestKeysAfterARestart(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		l.more = func(o *runtime.Options) { o.Limits.JobRetention = time.Hour } // a key stays its time all the same
		p := l.join(t, l.a, "alice")
		keyed := &arcp.JobSubmit{Agent: "again", IdempotencyKey: "k"}
		id := p.submit(keyed)
		l.restart(t)
		q := l.join(t, l.a, "alice")
		if again := q.submit(keyed); again != id {
			t.Fatalf("the key leads to %s, want %s", again, id)
		}
		q.want(`restarted {"attempt":2}`)
		close(l.steps)
		q.want(`result "done"`)
		time.Sleep(23 * time.Hour)
		l.restart(t)
		r := l.join(t, l.a, "alice")
		if again := r.submit(keyed); again != id {
			t.Fatalf("the key leads to %s after the end, want %s", again, id)
		}
		r.want(`restarted {"attempt":2}`, `result "done"`)
		time.Sleep(time.Hour + time.Minute)
		l.restart(t)
		r = l.join(t, l.a, "alice")
		if again := r.submit(keyed); again == id {
			t.Fatal("the key is kept for longer than its time")
		}
	})
}

// TestRetentionSurvives: a finished job is kept for its time from its end on, whatever happens to its runtime.
func TestRetentionSurvives(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		p := l.join(t, l.a, "alice")
		id := p.submit(&arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1")})
		p.want("result 1")
		time.Sleep(12 * time.Hour)
		l.restart(t)
		time.Sleep(12*time.Hour - time.Second)
		if !l.has(t, store.KindJob, id) {
			t.Error("the job was forgotten early")
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if l.has(t, store.KindJob, id) {
			t.Error("the job is kept for longer than its time")
		}
	})
}

// TestFinishedLogsStayInTheStore: what has ended is read from the store when somebody wants it, neither at the start nor kept past the cap.
func TestFinishedLogsStayInTheStore(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		l.more = func(o *runtime.Options) { o.Limits.FinishedBytes = 1 }
		l.restart(t)
		p := l.join(t, l.a, "alice")
		var ids []string
		for _, n := range []string{"1", "2", "3"} {
			ids = append(ids, p.submit(&arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON(n)}))
			p.want("result " + n)
		}
		reads := func() int64 {
			synctest.Wait()
			return l.store.reads.Swap(0)
		}
		if n := reads(); n != 0 {
			t.Errorf("%d reads of jobs that are in memory", n)
		}
		all := []string{"job.accepted", "job.accepted", "job.accepted", "result 1", "result 2", "result 3"}
		p.resume(l.a, 0)
		p.want(all...)
		if n := reads(); n == 0 {
			t.Error("the jobs past the cap were in memory")
		}
		l.restart(t)
		if n := reads(); n != 0 {
			t.Errorf("%d reads at the start", n)
		}
		p.resume(l.a, 0)
		p.want(all...)
		w := l.join(t, l.a, "alice")
		for _, id := range ids {
			w.say("s", &arcp.JobSubscribe{JobID: id, History: true})
			w.want("job.subscribed success from 0")
			w.hear()
		}
		if n := reads(); n < 2*int64(len(ids)) {
			t.Errorf("%d reads, want one for each log that was out of memory and one to see its end", n)
		}
	})
}

// TestCursorSurvives: a listing goes on where it was.
func TestCursorSurvives(t *testing.T) {
	onLives(t, func(t *testing.T, l *lives) {
		p := l.join(t, l.a, "alice")
		var ids []string
		for range 3 {
			ids = append(ids, p.submit(&arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1")}))
			p.want("result 1")
			time.Sleep(time.Second)
		}
		two := uint64(2)
		p.say("l", &arcp.SessionListJobs{Limit: &two})
		first := hear(t, p.conn).Payload.(*arcp.SessionJobs)
		l.restart(t)
		p.resume(l.a, 3)
		p.say("l", &arcp.SessionListJobs{Cursor: first.NextCursor})
		rest := hear(t, p.conn).Payload.(*arcp.SessionJobs)
		if len(rest.Jobs) != 1 || rest.Jobs[0].JobID != ids[2] || rest.Jobs[0].LastEventSeq != 1 {
			t.Errorf("the rest is %+v, want %s at 1", rest.Jobs, ids[2])
		}
	})
}
