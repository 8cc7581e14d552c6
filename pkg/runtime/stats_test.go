package runtime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
)

// Whatever clients do, and whatever they are refused, in the end nothing is counted any more.
//
// guards T9, T10
func TestCountersReturnToZero(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			limit := func(l *runtime.Limits) {
				l.PrincipalConnections, l.PrincipalSessions, l.PrincipalJobs, l.PrincipalSubscriptions = 3, 4, 5, 3
				l.PrincipalSubmitRate, l.PrincipalSubmitBurst, l.PrincipalBytes = 5, 8, 20_000
				l.PrincipalRequestRate, l.PrincipalRequestBurst = 5, 20
				l.Sessions, l.SessionJobs, l.ResumeWindow, l.JobRetention = 6, 3, time.Minute, time.Hour
				l.Idempotency, l.CancelGrace = time.Hour, time.Second
			}
			inBench(t, limit, func(b *bench, served *sync.WaitGroup) {
				var clients sync.WaitGroup
				for n := range uint64(4) {
					clients.Go(func() { wild(t, b, served, rand.New(rand.NewPCG(seed, n))) })
				}
				clients.Wait()
				if s := b.Stats(); s.Refused[arcp.CodeRateLimited] == 0 || s.Submitted == 0 {
					t.Errorf("Stats = %+v, want jobs and refusals", s)
				}
				time.Sleep(4 * time.Hour) // agents end, windows close, jobs are forgotten, buckets are full
				synctest.Wait()
				s := b.Stats()
				if s.Connections != 0 || s.Sessions != 0 || s.Jobs != 0 || s.Subscriptions != 0 || s.Finished != 0 || s.Principals != 0 || s.StoredBytes != 0 {
					t.Errorf("Stats = %+v, want nothing left", s)
				}
			})
		})
	}
}

// wild does anything in any order, over links of its own that it also loses.
func wild(t *testing.T, b *bench, served *sync.WaitGroup, r *rand.Rand) {
	who := []string{"alice", "bob", "nobody"}[r.IntN(3)]
	var jobs []string
	var resume *arcp.Resume
	for range 6 {
		ours, theirs := transport.Pipe()
		served.Go(func() { _ = b.Serve(context.Background(), ours) })
		c := &wildLink{t: t, conn: theirs}
		c.say(&arcp.Envelope{ID: "h", Payload: &arcp.SessionHello{
			Client: arcp.Software{Name: "wild"}, Auth: arcp.Auth{Token: arcp.MakeSecret(who)}, Resume: resume,
			Capabilities: &arcp.ClientCapabilities{Features: []arcp.Feature{arcp.FeatureSubscribe}},
		}})
		hello := c.hear()
		resume = nil
		w, ok := payload(hello).(*arcp.SessionWelcome)
		if !ok {
			_ = theirs.Close("")
			time.Sleep(time.Duration(r.IntN(int(30 * time.Second))))
			continue
		}
		for range r.IntN(30) {
			e := &arcp.Envelope{ID: "x", SessionID: hello.SessionID, Payload: anything(r, jobs)}
			c.say(e)
			if answer := c.hear(); answer != nil && answer.JobID != "" && len(jobs) < 20 {
				jobs = append(jobs, answer.JobID)
			}
			if r.IntN(4) == 0 {
				time.Sleep(time.Duration(r.IntN(int(5 * time.Second))))
			}
		}
		switch r.IntN(4) {
		case 0:
			c.say(&arcp.Envelope{ID: "b", SessionID: hello.SessionID, Payload: &arcp.SessionClose{}})
		case 1: // the link is taken over while it is there
			resume = &arcp.Resume{SessionID: hello.SessionID, ResumeToken: w.ResumeToken}
			continue
		case 2:
			resume = &arcp.Resume{SessionID: hello.SessionID, ResumeToken: w.ResumeToken}
		}
		_ = theirs.Close("")
		time.Sleep(time.Duration(r.IntN(int(2 * time.Minute))))
	}
}

func anything(r *rand.Rand, jobs []string) arcp.Payload {
	job := "job_none"
	if len(jobs) > 0 {
		job = jobs[r.IntN(len(jobs))]
	}
	switch r.IntN(8) {
	case 0, 1:
		agent := []string{"echo", "later", "wait", "hold", "nobody", "stubborn"}[r.IntN(6)]
		run := uint64(60)
		return &arcp.JobSubmit{Agent: agent, Input: arcp.RawJSON("1"), MaxRuntimeSec: &run}
	case 2:
		run := uint64(60)
		return &arcp.JobSubmit{Agent: "later", IdempotencyKey: fmt.Sprint(r.IntN(3)), MaxRuntimeSec: &run}
	case 3, 4:
		return &arcp.JobSubscribe{JobID: job, History: r.IntN(2) == 0}
	case 5:
		return &arcp.JobUnsubscribe{JobID: job}
	case 6:
		return &arcp.JobCancel{JobID: job}
	default:
		return &arcp.SessionPing{Nonce: "n", SentAt: time.Now()}
	}
}

// wildLink is a link that may end at any time.
type wildLink struct {
	t    *testing.T
	conn transport.Conn
}

func (c *wildLink) say(e *arcp.Envelope) {
	frame, err := e.AppendJSON(nil)
	if err != nil {
		c.t.Error(err)
		return
	}
	_ = c.conn.Write(frame)
	_ = c.conn.Flush()
}

// hear returns the next frame, nil when there is none for a while.
func (c *wildLink) hear() *arcp.Envelope {
	stop := time.AfterFunc(time.Hour, func() { _ = c.conn.Close("") })
	defer stop.Stop()
	frame, err := c.conn.Read(nil)
	if err != nil {
		return nil
	}
	e, err := arcp.Decode(frame)
	if err != nil {
		c.t.Error(err)
	}
	return e
}

func payload(e *arcp.Envelope) arcp.Payload {
	if e == nil {
		return nil
	}
	return e.Payload
}

// The numbers are in the text format of Prometheus: each metric with its help and type, each line with a number, and nothing of whom they are about.
func TestWriteMetrics(t *testing.T) {
	t.Parallel()
	inBench(t, func(*runtime.Limits) {}, func(b *bench, served *sync.WaitGroup) {
		runAgent(t, b, served, func(ctx context.Context, task *runtime.Task) { _ = think(ctx, task, "one") })
		synctest.Wait()
		var out bytes.Buffer
		if err := b.WriteMetrics(&out); err != nil {
			t.Fatal(err)
		}
		line := regexp.MustCompile(`^(arcp_[a-z_]+)(\{[a-z]+="[A-Za-z_]+"\})? \d+$`)
		described := map[string]int{}
		for l := range strings.Lines(out.String()) {
			l = strings.TrimSuffix(l, "\n")
			if f := strings.Fields(l); l[0] == '#' && (f[1] == "HELP" || f[1] == "TYPE") {
				described[f[2]]++
			} else if m := line.FindStringSubmatch(l); m == nil || described[m[1]] != 2 {
				t.Errorf("line %q is no sample of a described metric", l)
			}
		}
		for _, want := range []string{"arcp_ready 1\n", "arcp_sessions 1\n", "arcp_jobs 0\n", "arcp_jobs_submitted_total 1\n", `arcp_jobs_ended_total{status="success"} 1` + "\n", "arcp_events_total 2\n"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the numbers lack %q:\n%s", want, out.String())
			}
		}
	})
}

// Who did what, or was refused, stands in the audit log, and no secret.
func TestAudit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		b := newBench(t, func(o *runtime.Options) { o.Audit = slog.New(slog.NewJSONHandler(&out, nil)); o.Limits.SessionJobs = 1 })
		var served sync.WaitGroup
		enter(t, b, &served, "mallory", nil)
		bob, _ := enter(t, b, &served, "bob", nil)
		_ = bob
		c, hello := enter(t, b, &served, "alice", nil)
		ask := func(p arcp.Payload) *arcp.Envelope {
			say(t, c, &arcp.Envelope{ID: "1", SessionID: hello.SessionID, Payload: p})
			return hear(t, c)
		}
		job := ask(&arcp.JobSubmit{Agent: "wait", Input: arcp.RawJSON(`"private"`)}).JobID
		ask(&arcp.JobSubmit{Agent: "wait"})
		ask(&arcp.JobSubscribe{JobID: "job_none"})
		say(t, bob, &arcp.Envelope{ID: "1", SessionID: session(t, &out, "bob"), Payload: &arcp.JobSubscribe{JobID: job}})
		hear(t, bob)
		ask(&arcp.SessionListJobs{Cursor: "bogus"})
		ask(&arcp.JobCancel{JobID: job, Reason: "enough"})
		_ = c.Close("")
		b.stop(t)
		served.Wait()
		var got []string
		for l := range strings.Lines(out.String()) {
			var r map[string]any
			if err := json.Unmarshal([]byte(l), &r); err != nil {
				t.Fatal(err)
			}
			if r["job"] == job {
				r["job"] = "J"
			}
			got = append(got, strings.TrimSuffix(fmt.Sprintln(r["msg"], r["outcome"], r["principal"], r["job"], r["owner"], r["reason"]), "\n"))
		}
		want := []string{
			"connect UNAUTHENTICATED <nil> <nil> <nil> authentication failed",
			"connect ok bob <nil> <nil> <nil>",
			"connect ok alice <nil> <nil> <nil>",
			"submit ok alice J <nil> <nil>",
			"submit RATE_LIMITED alice <nil> <nil> the limit session_jobs of 1 is reached",
			"subscribe JOB_NOT_FOUND alice job_none <nil> there is no such job",
			"subscribe JOB_NOT_FOUND bob J alice there is no such job",
			`deny INVALID_REQUEST alice <nil> <nil> session.list_jobs needs the feature "list_jobs", which was not negotiated`,
			"cancel ok alice J <nil> enough",
		}
		if len(got) < len(want) || strings.Join(got[:len(want)], "\n") != strings.Join(want, "\n") {
			t.Errorf("the audit log says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if left := got[len(want):]; len(left) != 2 || !strings.HasPrefix(left[0], "expire ok ") {
			t.Errorf("then it says %q, want the ends of two sessions", left)
		}
		for _, secret := range []string{"mallory", "private", "resume"} {
			if strings.Contains(out.String(), secret) {
				t.Errorf("the audit log has %q in it", secret)
			}
		}
	})
}

// session finds in the audit log which session a principal has.
func session(t *testing.T, out *lockedBuffer, who string) string {
	t.Helper()
	m := regexp.MustCompile(`"principal":"` + who + `","session":"([^"]+)"`).FindStringSubmatch(out.String())
	if m == nil {
		t.Fatalf("no session of %s in %s", who, out.String())
	}
	return m[1]
}

// lockedBuffer is a buffer that several goroutines may use.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A runtime that is stopped, or lost its place, counts nothing any more; the next one counts what it took up, and that ends as well.
//
// guards T9
func TestCountersOverRestarts(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				mem := &mortal{Memory: store.NewMemory(), level: store.ProcessKill}
				start := func() *bench {
					b := newBench(t, func(o *runtime.Options) {
						l := &o.Limits
						o.Store, l.ResumeWindow, l.JobRetention, l.Idempotency, l.CancelGrace = mem, time.Minute, time.Hour, time.Hour, time.Second
					})
					if err := b.Start(t.Context()); err != nil {
						t.Fatal(err)
					}
					return b
				}
				var served sync.WaitGroup
				r := rand.New(rand.NewPCG(seed, 0))
				b := start()
				for n := range 3 {
					var clients sync.WaitGroup
					for k := range uint64(3) {
						clients.Go(func() { wild(t, b, &served, rand.New(rand.NewPCG(seed, uint64(n)<<8|k))) })
					}
					if r.IntN(2) == 0 {
						clients.Wait()
					} else {
						time.Sleep(20 * time.Second)
					}
					old := b
					if r.IntN(2) == 0 {
						mem.Lose(mem.node)
						synctest.Wait()
					}
					old.stop(t)
					b = start()
					clients.Wait()
					time.Sleep(5 * time.Second)
					if s := old.Stats(); s.Connections != 0 || s.Jobs != 0 || s.Subscriptions != 0 {
						t.Errorf("the old runtime's Stats = %+v, want nothing left but what waits for the next", s)
					}
				}
				time.Sleep(4 * time.Hour)
				synctest.Wait()
				s := b.Stats()
				if s.Connections != 0 || s.Sessions != 0 || s.Jobs != 0 || s.Subscriptions != 0 || s.Finished != 0 || s.Principals != 0 || s.StoredBytes != 0 {
					t.Errorf("Stats = %+v, want nothing left", s)
				}
				b.stop(t)
				served.Wait()
			})
		})
	}
}
