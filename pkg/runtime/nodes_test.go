package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
)

const taken = `session.error HEARTBEAT_LOST {"reason":"taken_over"}`

// TestResumeOnTheOtherNode: the numbers go on without a gap there, and back again; the link it had ends as taken over.
func TestResumeOnTheOtherNode(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		p := n.join(t, n.a, "alice")
		p.submit(&arcp.JobSubmit{Agent: "steps"})
		n.steps <- struct{}{}
		n.steps <- struct{}{}
		p.want("step 1", "step 2")
		old := *p
		p.resume(n.b, 1)
		old.want(taken)
		p.want("step 2")
		n.steps <- struct{}{}
		p.want("step 3")
		p.close()
		synctest.Wait()
		n.steps <- struct{}{}
		p.resume(n.a, 2)
		p.want("step 3", "step 4")
		old = *p
		p.resume(n.b, 4)
		old.want(taken)
		close(n.steps)
		p.want(`result "done"`)
	})
}

// TestResumeBeforeTheFirstEvent: what has no number is said again, too.
func TestResumeBeforeTheFirstEvent(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		p := n.join(t, n.a, "alice")
		p.submit(&arcp.JobSubmit{Agent: "steps"})
		p.resume(n.b, 0)
		p.want("job.accepted")
		close(n.steps)
		p.want(`result "done"`)
	})
}

// TestRefusedResumeElsewhere: unknown, foreign and wrong look alike, and take nothing from the node that has the session.
func TestRefusedResumeElsewhere(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		p := n.join(t, n.a, "alice")
		p.submit(&arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1")})
		p.want("result 1")
		none := "session.error RESUME_WINDOW_EXPIRED"
		for _, c := range []struct {
			name, session, who string
			token              arcp.Secret
			last               uint64
			want               string
		}{
			{"unknown", "sess_unknown", "alice", p.token, 1, none},
			{"wrong token", p.session, "alice", arcp.MakeSecret("x"), 1, none},
			{"foreign", p.session, "bob", p.token, 1, none},
			{"foreign and too new", p.session, "bob", p.token, 9, none},
			{"too new", p.session, "alice", p.token, 2, "session.error INVALID_REQUEST"},
		} {
			other := *p
			other.session = c.session
			other.claim(n.b, c.who, c.token, c.last)
			if got := strings.TrimSpace(other.hear()); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
			other.close()
		}
		p.submit(&arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("2")})
		p.want("result 2")
	})
}

// TestWatchAcross: history, then what happens, once each, of a job that runs on the other node.
func TestWatchAcross(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		p, w := n.join(t, n.a, "alice"), n.join(t, n.b, "alice")
		id := p.submit(&arcp.JobSubmit{Agent: "steps"})
		n.steps <- struct{}{}
		n.steps <- struct{}{}
		p.want("step 1", "step 2")
		w.say("s", &arcp.JobSubscribe{JobID: id, History: true, FromEventSeq: 1})
		w.want("job.subscribed running from 1", "step 2")
		late := n.join(t, n.b, "alice")
		late.say("s", &arcp.JobSubscribe{JobID: id})
		late.want("job.subscribed running from 2")
		n.steps <- struct{}{}
		w.want("step 3")
		late.want("step 3")
		late.say("u", &arcp.JobUnsubscribe{JobID: id})
		late.say("l", &arcp.SessionListJobs{})
		jobs, ok := hear(t, late.conn).Payload.(*arcp.SessionJobs)
		if !ok || len(jobs.Jobs) != 1 || jobs.Jobs[0].LastEventSeq != 3 || jobs.Jobs[0].Status != arcp.StatusRunning {
			t.Errorf("the list is %+v", jobs)
		}
		close(n.steps)
		w.want(`result "done"`)
		late.say("s", &arcp.JobSubscribe{JobID: id, History: true, FromEventSeq: 3})
		late.want("job.subscribed success from 3", `result "done"`)
		foreign := n.join(t, n.b, "bob")
		foreign.say("s", &arcp.JobSubscribe{JobID: id})
		foreign.want("session.error JOB_NOT_FOUND")
	})
}

// TestWatchResultAcross: a session without chunks gets the streamed result of a job of the other node in one piece.
func TestWatchResultAcross(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		p, w := n.join(t, n.a, "alice"), n.join(t, n.b, "alice", arcp.FeatureSubscribe)
		id := p.submit(&arcp.JobSubmit{Agent: "chunks"})
		w.say("s", &arcp.JobSubscribe{JobID: id, History: true})
		for {
			got := w.hear()
			if strings.HasPrefix(got, "result ") {
				if got == "result " {
					t.Error("the result is missing")
				}
				break
			}
			if strings.HasPrefix(got, "job.error") || got == string(arcp.KindResultChunk) {
				t.Fatalf("heard %s", got)
			}
		}
	})
}

// TestRetryAcross: a key leads to the same job on every node.
func TestRetryAcross(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		p, q := n.join(t, n.a, "alice"), n.join(t, n.b, "alice")
		id := p.submit(&arcp.JobSubmit{Agent: "steps", IdempotencyKey: "k"})
		n.steps <- struct{}{}
		if again := q.submit(&arcp.JobSubmit{Agent: "steps", IdempotencyKey: "k"}); again != id {
			t.Errorf("the second submit made job %s, the first %s", again, id)
		}
		q.want("step 1")
		q.say("x", &arcp.JobSubmit{Agent: "echo", IdempotencyKey: "k"})
		q.want("session.error DUPLICATE_KEY")
		close(n.steps)
		p.want("step 1", `result "done"`)
		q.want(`result "done"`)
	})
}

// TestDeadNode: its job ends for all who see it, its session goes on, and it leaves no trace any more once it is declared dead.
func TestDeadNode(t *testing.T) {
	for _, resumeFirst := range []bool{true, false} {
		t.Run(fmt.Sprint("resume first ", resumeFirst), func(t *testing.T) {
			onNodes(t, func(t *testing.T, n *nodes) {
				p, w := n.join(t, n.a, "alice"), n.join(t, n.b, "alice")
				done := p.submit(&arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1")})
				p.want("result 1")
				id := p.submit(&arcp.JobSubmit{Agent: "stubborn"})
				w.say("s", &arcp.JobSubscribe{JobID: id})
				w.want("job.subscribed running from 0")
				dead := n.owner(t, store.KindJob, id)
				n.Lose(dead)
				synctest.Wait()
				if _, err := p.conn.Read(nil); err == nil {
					t.Error("the link of the dead node goes on")
				}
				if err := n.a.Serve(t.Context(), nobody()); !errors.Is(err, runtime.ErrShutdown) {
					t.Errorf("Serve of the dead node = %v", err)
				}
				if !resumeFirst {
					time.Sleep(time.Minute)
				}
				p.resume(n.b, 1)
				if resumeFirst {
					p.want("job.accepted")
				}
				end := `job.error INTERNAL_ERROR true {"reason":"node_lost"}`
				if !resumeFirst {
					p.want("job.accepted")
				}
				p.want(end)
				w.want(end)
				n.a.release <- struct{}{} // the agent emits, and panics unless it is told that the job is over
				synctest.Wait()
				p.say("l", &arcp.JobSubscribe{JobID: id, History: true})
				p.want("job.subscribed error from 0", end)
				p.say("l", &arcp.JobSubscribe{JobID: done, History: true})
				p.want("job.subscribed success from 0", "result 1")
				for _, k := range []store.NodeID{n.owner(t, store.KindJob, id), n.owner(t, store.KindJob, done), n.owner(t, store.KindSession, p.session)} {
					if k == dead {
						t.Error("the dead node still owns something")
					}
				}
			})
		})
	}
}

// nobody is a connection whose other end is gone.
func nobody() transport.Conn {
	ours, theirs := transport.Pipe()
	_ = theirs.Close("")
	return ours
}

// TestStaleNode: a job is taken away from a node that lives: its agent is told and leaves no trace, and the session goes on there without a gap.
func TestStaleNode(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		causes := make(chan error, 2)
		err := n.a.Handle("stale", runtime.AgentFunc(func(ctx context.Context, task *runtime.Task) error {
			_ = think(ctx, task, "before")
			<-ctx.Done()
			causes <- context.Cause(ctx)
			causes <- think(context.Background(), task, "after")
			return task.SetResult(arcp.RawJSON("1"))
		}))
		if err != nil {
			t.Fatal(err)
		}
		p := n.join(t, n.a, "alice")
		id := p.submit(&arcp.JobSubmit{Agent: "stale"})
		p.want("before")
		key := store.Key{Kind: store.KindJob, ID: id}
		head, err := n.Lookup(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		other := n.owner(t, store.KindSession, n.join(t, n.b, "bob").session)
		if _, _, err := n.Acquire(t.Context(), other, key, head.Epoch); err != nil {
			t.Fatal(err)
		}
		if cause := <-causes; !errors.Is(cause, runtime.ErrTakenOver) {
			t.Errorf("the agent was stopped with %v", cause)
		}
		if err := <-causes; !errors.Is(err, runtime.ErrJobOver) {
			t.Errorf("Emit after the takeover = %v", err)
		}
		synctest.Wait()
		if now, err := n.Lookup(t.Context(), key); err != nil || now.Records != head.Records {
			t.Errorf("the stale agent left %d records, %v, want %d", now.Records, err, head.Records)
		}
		p.submit(&arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("2")})
		p.want("result 2")
	})
}

// TestJobRunsAgainOnTheOtherNode: in the same log, for those who follow it there, too; the agent that is still running at the dead node leaves
// no trace.
func TestJobRunsAgainOnTheOtherNode(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		for _, b := range []*bench{n.a, n.b} {
			if err := b.Handle("again", runtime.Restartable(runtime.AgentFunc(n.step))); err != nil {
				t.Fatal(err)
			}
		}
		p, w := n.join(t, n.a, "alice"), n.join(t, n.b, "alice")
		id := p.submit(&arcp.JobSubmit{Agent: "again"})
		synctest.Wait()
		w.say("s", &arcp.JobSubscribe{JobID: id, History: true})
		w.want("job.subscribed running from 0")
		n.steps <- struct{}{}
		w.want("step 1")
		n.Lose(n.owner(t, store.KindJob, id))
		w.want(`restarted {"attempt":2}`)
		n.steps <- struct{}{}
		w.want("step 1")
		p.resume(n.b, 1)
		p.want(`restarted {"attempt":2}`, "step 1")
		close(n.steps)
		p.want(`result "done"`)
		w.want(`result "done"`)
	})
}

// TestShutdownLeavesSessionsToTheOthers: what a client has after a shutdown goes on at the node that is left.
func TestShutdownLeavesSessionsToTheOthers(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		gone := newBench(t, func(o *runtime.Options) { o.Store, o.Shared = n.Memory, true })
		p := n.join(t, gone, "alice")
		p.submit(&arcp.JobSubmit{Agent: "echo", Input: arcp.RawJSON("1")})
		p.want("result 1")
		down := make(chan struct{})
		go func() {
			gone.stop(t)
			close(down)
		}()
		p.want("session.bye")
		<-down
		time.Sleep(time.Minute)
		p.resume(n.b, 0)
		p.want("job.accepted", "result 1")
	})
}

// TestWander resumes a session at one node or the other, from any number that the client has, while a job goes on: each event has its number.
func TestWander(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			onNodes(t, func(t *testing.T, n *nodes) {
				rng := rand.New(rand.NewPCG(seed, 5))
				p := n.join(t, n.a, "alice")
				p.submit(&arcp.JobSubmit{Agent: "steps"})
				emitted := uint64(0)
				for range 40 {
					switch rng.IntN(4) {
					case 0:
						p.resume([]*bench{n.a, n.b}[rng.IntN(2)], min(p.last, uint64(rng.IntN(int(emitted+1)))))
					case 1:
						n.steps <- struct{}{}
						emitted++
					default:
						for ; p.last < emitted && rng.IntN(8) > 0; p.wantStep() {
						}
					}
				}
				p.resume(n.b, p.last)
				for p.last < emitted {
					p.wantStep()
				}
				close(n.steps)
				for got := ""; got != `result "done"`; got = p.hear() {
				}
			})
		})
	}
}

// wantStep hears the event that has its own number in it. What has none may come again.
func (p *peer) wantStep() {
	p.t.Helper()
	for {
		got := p.hear()
		if got == string(arcp.TypeJobAccepted) {
			continue
		}
		if want := fmt.Sprint("step ", p.last); got != want {
			p.t.Fatalf("heard %q, want %q", got, want)
		}
		return
	}
}
