package runtime_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
)

// turnstile is a store that lets one commit of a job through for each token.
type turnstile struct {
	store.Store
	tokens chan struct{}
}

func (s *turnstile) Commit(ctx context.Context, b *store.Batch) error {
	if slices.ContainsFunc(b.Ops, func(o store.Op) bool { return o.Key.Kind == store.KindJob }) {
		<-s.tokens
	}
	return s.Store.Commit(ctx, b)
}

// TestRecordedBeforeSent: no client hears what the store has not taken: neither that a job was accepted nor an event of it. guards A14.
func TestRecordedBeforeSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tokens := make(chan struct{})
		b := newBench(t, func(o *runtime.Options) { o.Store = &turnstile{o.Store, tokens} })
		defer b.stop(t)
		var served sync.WaitGroup
		defer served.Wait()
		c, session := client(t, b, &served)
		var heard atomic.Int32
		served.Go(func() {
			for {
				if _, err := c.Read(nil); err != nil {
					return
				}
				heard.Add(1)
			}
		})
		say(t, c, &arcp.Envelope{ID: "m", SessionID: session, Payload: &arcp.JobSubmit{Agent: "hold"}})
		const frames = 3 // accepted and two events
		for n := range int32(frames) {
			synctest.Wait()
			if got := heard.Load(); got > n {
				t.Errorf("%d frames were heard with %d commits done", got, n)
			}
			tokens <- struct{}{}
		}
		synctest.Wait()
		if got := heard.Load(); got != frames {
			t.Errorf("%d frames were heard in the end, want %d", got, frames)
		}
		close(tokens)
		_ = c.Close("")
	})
}

// steps is an agent that thinks once for each word it is given.
func steps(words <-chan string) runtime.AgentFunc {
	return func(ctx context.Context, t *runtime.Task) error {
		for {
			select {
			case w := <-words:
				if err := think(ctx, t, w); err != nil {
					return err
				}
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// TestNoticesAreReplayed: a notice of back pressure has a number, and a resume brings it again under it, as all else. guards A15.
func TestNoticesAreReplayed(t *testing.T) {
	t.Parallel()
	bounded(t, func(o *runtime.Options) { o.Limits.AckLagEvents = 2 }, func(t *testing.T, b *bench, _ transport.Conn, _ string) {
		words := make(chan string)
		if err := b.Handle("steps", steps(words)); err != nil {
			t.Fatal(err)
		}
		var served sync.WaitGroup
		defer served.Wait()
		c, welcome := greet(t, b, &served, nil, arcp.FeatureAck)
		read := func() string {
			frame, err := c.Read(nil)
			if err != nil {
				t.Fatal(err)
			}
			return string(frame)
		}
		say(t, c, &arcp.Envelope{ID: "m", SessionID: welcome.SessionID, Payload: &arcp.JobSubmit{Agent: "steps"}})
		read() // accepted
		words <- "first"
		read()
		say(t, c, &arcp.Envelope{ID: "a", SessionID: welcome.SessionID, Payload: &arcp.SessionAck{LastProcessedSeq: 1}})
		synctest.Wait()
		var sent []string
		for range 4 {
			words <- "more"
			sent = append(sent, read())
			synctest.Wait()
		}
		sent = append(sent, read()) // the notice is one more
		if n := strings.Count(strings.Join(sent, "\n"), arcp.PhaseBackPressure); n != 1 {
			t.Errorf("%d notices of back pressure among %q", n, sent)
		}
		_ = c.Close("")
		c, _ = greet(t, b, &served, after(welcome, 1))
		for i, want := range sent {
			if got := read(); got != want {
				t.Errorf("number %d is %s\nafter the resume and was %s", i+2, got, want)
			}
		}
		_ = c.Close("")
	})
}

// TestSlowReaderIsTold: a session that reads too slowly gets all up to some number, hears why that is all, and has the rest by a resume.
// guards B5.
func TestSlowReaderIsTold(t *testing.T) {
	t.Parallel()
	bounded(t, func(o *runtime.Options) { o.Limits.UnwrittenBytes = 64 << 10 }, func(t *testing.T, b *bench, _ transport.Conn, _ string) {
		words := make(chan string)
		if err := b.Handle("steps", steps(words)); err != nil {
			t.Fatal(err)
		}
		var served sync.WaitGroup
		defer served.Wait()
		c, welcome := greet(t, b, &served, nil)
		say(t, c, &arcp.Envelope{ID: "m", SessionID: welcome.SessionID, Payload: &arcp.JobSubmit{Agent: "steps"}})
		hear(t, c) // accepted
		for i := range 100 {
			words <- strings.Repeat("x", 10<<10)
			if i < 5 {
				synctest.Wait() // these are on their way before it falls behind
			}
		}
		last := uint64(0)
		follow := func(to uint64) *arcp.Envelope {
			for last < to {
				e := hear(t, c)
				if e.EventSeq == 0 {
					return e
				}
				if e.EventSeq != last+1 {
					t.Fatalf("number %d follows %d", e.EventSeq, last)
				}
				last = e.EventSeq
			}
			return nil
		}
		e := follow(100)
		if e == nil {
			t.Fatal("the reader was not too slow")
		}
		if p, ok := e.Payload.(*arcp.SessionError); !ok || !strings.Contains(string(p.Details), string(arcp.CodeBackpressure)) {
			t.Errorf("after number %d the reader hears %+v, want why it gets no more", last, e.Payload)
		}
		if _, err := c.Read(nil); err == nil {
			t.Error("the link goes on")
		}
		_ = c.Close("")
		c, _ = greet(t, b, &served, after(welcome, last))
		if e := follow(100); e != nil {
			t.Errorf("after number %d of the resumed session comes %+v", last, e.Payload)
		}
		_ = c.Close("")
	})
}

// TestSessionsThatWatchEachOther: each gets every event of both jobs once. guards B8.
func TestSessionsThatWatchEachOther(t *testing.T) {
	t.Parallel()
	bounded(t, nil, func(t *testing.T, b *bench, _ transport.Conn, _ string) {
		var served sync.WaitGroup
		defer served.Wait()
		var conns [2]transport.Conn
		var sessions, jobs [2]string
		for i := range conns {
			c, welcome := greet(t, b, &served, nil, arcp.FeatureSubscribe)
			conns[i], sessions[i] = c, welcome.SessionID
			say(t, c, &arcp.Envelope{ID: "m", SessionID: welcome.SessionID, Payload: &arcp.JobSubmit{Agent: "hold"}})
			jobs[i] = hear(t, c).JobID
		}
		var mu sync.Mutex
		var seen [2]map[string]int
		for i, c := range conns {
			seen[i] = map[string]int{}
			for _, job := range jobs {
				say(t, c, &arcp.Envelope{ID: "s" + job, SessionID: sessions[i], Payload: &arcp.JobSubscribe{JobID: job}})
			}
			served.Go(func() {
				for {
					frame, err := c.Read(nil)
					if err != nil {
						return
					}
					if e, err := arcp.Decode(frame); err == nil && e.EventSeq > 0 {
						mu.Lock()
						seen[i][e.ID]++
						mu.Unlock()
					}
				}
			})
		}
		synctest.Wait()
		for i, c := range conns {
			say(t, c, &arcp.Envelope{ID: "c", SessionID: sessions[i], Payload: &arcp.JobCancel{JobID: jobs[i]}})
		}
		synctest.Wait()
		for i := range seen {
			for k, job := range jobs {
				n := 0
				for id, times := range seen[i] {
					if strings.HasPrefix(id, job) {
						n += times
					}
				}
				want := 1 // the end
				if i == k {
					want = 3
				}
				if n != want {
					t.Errorf("session %d got %d events of job %d, want %d", i, n, k, want)
				}
			}
			_ = conns[i].Close("")
		}
	})
}

// TestOwnerThatIsGone: who owns a job stands with the job, not with the session that submitted it. guards B9.
func TestOwnerThatIsGone(t *testing.T) {
	t.Parallel()
	bounded(t, func(o *runtime.Options) { o.Limits.ResumeWindow = -1 }, func(t *testing.T, b *bench, c transport.Conn, session string) {
		say(t, c, &arcp.Envelope{ID: "m", SessionID: session, Payload: &arcp.JobSubmit{Agent: "hold"}})
		job := hear(t, c).JobID
		_ = c.Close("")
		synctest.Wait() // the session has ended with its link
		var served sync.WaitGroup
		defer served.Wait()
		c, welcome := greet(t, b, &served, nil, arcp.FeatureSubscribe)
		say(t, c, &arcp.Envelope{ID: "s", SessionID: welcome.SessionID, Payload: &arcp.JobSubscribe{JobID: job, History: true}})
		if p, ok := hear(t, c).Payload.(*arcp.JobSubscribed); !ok || p.CurrentStatus != arcp.StatusRunning {
			t.Errorf("its owner's other session gets %+v", p)
		}
		hear(t, c)
		hear(t, c)
		say(t, c, &arcp.Envelope{ID: "c", SessionID: welcome.SessionID, Payload: &arcp.JobCancel{JobID: job}})
		if p, ok := hear(t, c).Payload.(*arcp.JobCancelled); !ok {
			t.Errorf("and its cancel gets %+v", p)
		}
		_ = c.Close("")
	})
}

// TestKeyBeforeAllThatChanges: a key used before is answered as then, whatever a new submit would be told by now. guards D9.
func TestKeyBeforeAllThatChanges(t *testing.T) {
	t.Parallel()
	bounded(t, func(o *runtime.Options) { o.Limits.SessionJobs = 1 }, func(t *testing.T, b *bench, c transport.Conn, session string) {
		submit := func(key string) *arcp.Envelope {
			say(t, c, &arcp.Envelope{ID: "m", SessionID: session, Payload: &arcp.JobSubmit{Agent: "wait", IdempotencyKey: key}})
			return hear(t, c)
		}
		first := submit("k")
		again := func(when string) {
			t.Helper()
			p, ok := submit("k").Payload.(*arcp.JobAccepted)
			if !ok || p.JobID != first.JobID || p.Agent != "wait@1.0.0" {
				t.Errorf("%s the key gets %+v, want job %s again", when, p, first.JobID)
			}
		}
		if p, ok := submit("other").Payload.(*arcp.SessionError); !ok {
			t.Errorf("a second job gets %+v, want a refusal", p)
		}
		again("at the cap of jobs")
		if err := b.Handle("wait@9.0.0", runtime.AgentFunc(func(context.Context, *runtime.Task) error { return nil })); err != nil {
			t.Fatal(err)
		}
		again("with another default version")
	})
}
