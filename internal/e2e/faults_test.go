package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/internal/invariant"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// fault is one way a link goes wrong at frame n.
type fault struct {
	name string
	plan func(n int) faulty.Plan
}

var faults = []fault{
	{"cut read", func(n int) faulty.Plan { return faulty.Plan{CutRead: n} }},
	{"cut write", func(n int) faulty.Plan { return faulty.Plan{CutWrite: n} }},
	{"cut after write", func(n int) faulty.Plan { return faulty.Plan{CutAfterWrite: n} }},
	{"freeze read", func(n int) faulty.Plan { return faulty.Plan{FreezeRead: n} }},
	{"freeze write", func(n int) faulty.Plan { return faulty.Plan{FreezeWrite: n} }},
	{"lose writes", func(n int) faulty.Plan { return faulty.Plan{LoseWrite: n} }},
	{"slow and split, cut read", func(n int) faulty.Plan {
		return faulty.Plan{CutRead: n, Split: true, DelayRead: 7 * time.Millisecond, DelayWrite: 3 * time.Millisecond}
	}},
	{"slow and split, cut write", func(n int) faulty.Plan {
		return faulty.Plan{CutWrite: n, Split: true, DelayRead: 3 * time.Millisecond, DelayWrite: 7 * time.Millisecond}
	}},
}

// TestFaultAtEveryFrame: a conversation of three jobs and an observer loses, in each way a link can be lost, its link at frame n, for
// every n there is, and at frame n of the link after it as well. Every iterator yields each event once, in order. guards A1 to A5, A8, A9,
// A10, B1, B3, C6, D8, K4.
func TestFaultAtEveryFrame(t *testing.T) {
	t.Parallel()
	for _, f := range faults {
		for _, observer := range []bool{false, true} {
			name := f.name + ", owner"
			if observer {
				name = f.name + ", observer"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n := 1
				for hit := true; hit; n++ {
					for _, links := range []int{1, 2} {
						synctest.Test(t, func(t *testing.T) { hit = converse(t, f.plan(n), links, observer) })
						if t.Failed() {
							t.Fatalf("at frame %d of the first %d links", n, links)
						}
					}
				}
				if n < 6 {
					t.Errorf("the conversation has %d frames only", n)
				}
				t.Logf("%d frames", n-1)
			})
		}
	}
}

// local is a runtime reached over pipes, whose every frame is held against the promises in the end.
type local struct {
	t   *testing.T
	rec *invariant.Recorder
	rt  *arcprt.Runtime
	wg  sync.WaitGroup
}

func (w *local) Dial(context.Context) (transport.Conn, error) {
	ours, theirs := transport.Pipe()
	end := w.rec.Conn(theirs, arcp.FromRuntime)
	w.wg.Go(func() { _ = w.rt.Serve(context.Background(), end) })
	return ours, nil
}

func openLocal(t *testing.T, agents map[string]arcprt.AgentFunc) *local {
	t.Helper()
	rt, err := arcprt.New(&arcprt.Options{Name: "e2e", Verifier: tokens("alice"), Limits: arcprt.Limits{HeartbeatInterval: time.Second}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range agents {
		if err := rt.Handle(name, f); err != nil {
			t.Fatal(err)
		}
	}
	return &local{t: t, rec: invariant.NewRecorder(), rt: rt}
}

func (w *local) close() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = w.rt.Shutdown(ctx)
	w.wg.Wait()
	w.rec.Report(w.t, invariant.Options{})
}

// converse does the conversation with a fault on the first links of one side, and says whether the fault came to be.
func converse(t *testing.T, plan faulty.Plan, links int, observer bool) bool {
	w := openLocal(t, map[string]arcprt.AgentFunc{"count": count, "stream": stream, "endless": endless})
	defer w.close()
	var dials atomic.Int64
	bad := faulty.Dialer(w, func(dial int) faulty.Plan {
		dials.Store(int64(dial))
		if dial > links {
			return faulty.Plan{}
		}
		return plan
	})
	owner, other := bad, transport.Dialer(w)
	if observer {
		owner, other = other, owner
	}
	a, b := persist(t, owner), persist(t, other)
	if t.Failed() {
		return false
	}
	jobs := make([]*client.Job, 3)
	for i, agent := range []string{"count", "stream", "endless"} {
		j, err := a.Submit(t.Context(), &arcp.JobSubmit{Agent: agent})
		if err != nil {
			t.Errorf("Submit = %v", err)
			return false
		}
		jobs[i] = j
	}
	var wg sync.WaitGroup
	wg.Go(func() { wantThoughts(t, "count", jobs[0], events) })
	wg.Go(func() { wantStream(t, jobs[1]) })
	wg.Go(func() { wantCancelled(t, jobs[2]) })
	wg.Go(func() { observe(t, b, jobs[0].ID()) })
	wg.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, _ = a.Close(ctx), b.Close(ctx)
	return dials.Load() > 1
}

// persist connects, however often the first link is lost.
func persist(t *testing.T, d transport.Dialer) *client.Session {
	for range 5 {
		s, err := client.Connect(t.Context(), d, &client.Options{Token: "alice", HandshakeTimeout: 2 * time.Second})
		if err == nil {
			return s
		}
	}
	t.Error("no session after five attempts")
	return nil
}

const events = 12

func count(ctx context.Context, t *arcprt.Task) error {
	for i := range events {
		if err := t.Emit(ctx, &arcp.ThoughtBody{Text: fmt.Sprint(i)}); err != nil {
			return err
		}
		time.Sleep(time.Duration(i%3) * 100 * time.Millisecond)
	}
	return t.SetResult(arcp.RawJSON(`"counted"`))
}

func stream(ctx context.Context, t *arcprt.Task) error {
	w, err := t.ResultWriter(ctx, arcp.EncodingUTF8)
	if err != nil {
		return err
	}
	for i := range 4 {
		if _, err := fmt.Fprint(w, i, strings.Repeat(" ", 200_000)); err != nil {
			return err
		}
	}
	return w.Close()
}

func endless(ctx context.Context, t *arcprt.Task) error {
	for i := 0; ; i++ {
		if err := t.Emit(ctx, &arcp.ThoughtBody{Text: fmt.Sprint(i)}); err != nil {
			return err
		}
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// wantThoughts reads a job to its end: the numbers from 0, each once, and a final result.
func wantThoughts(t *testing.T, who string, j *client.Job, n int) {
	var seen []string
	for ev, err := range j.Events(t.Context()) {
		if err != nil {
			t.Errorf("%s: Events = %v after %v", who, err, seen)
			return
		}
		seen = append(seen, ev.Body.(*arcp.ThoughtBody).Text)
	}
	want := make([]string, n)
	for i := range want {
		want[i] = fmt.Sprint(i)
	}
	if !slices.Equal(seen, want) {
		t.Errorf("%s: saw %v, want %v", who, seen, want)
	}
	if r, err := j.Result(t.Context()); err != nil || string(r.Result) != `"counted"` {
		t.Errorf("%s: Result = %v, %v", who, r, err)
	}
}

func wantStream(t *testing.T, j *client.Job) {
	r, err := j.ResultReader(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	if got := strings.Join(strings.Fields(string(data)), ","); err != nil || got != "0,1,2,3" {
		t.Errorf("the stream is %.60s (%d bytes), %v", got, len(data), err)
	}
	next := uint64(0)
	for ev, err := range j.Events(t.Context()) {
		if err != nil {
			t.Errorf("stream: Events = %v", err)
			return
		}
		if c := ev.Body.(*arcp.ResultChunkBody); c.ChunkSeq != next {
			t.Errorf("chunk %d, want %d", c.ChunkSeq, next)
		}
		next++
	}
}

func wantCancelled(t *testing.T, j *client.Job) {
	n := 0
	for ev, err := range j.Events(t.Context()) {
		if err != nil {
			t.Errorf("endless: Events = %v", err)
			return
		}
		if text := ev.Body.(*arcp.ThoughtBody).Text; text != fmt.Sprint(n) {
			t.Errorf("endless: event %s, want %d", text, n)
		}
		if n++; n == 3 {
			if err := j.Cancel(t.Context(), "enough"); err != nil {
				t.Errorf("Cancel = %v", err)
			}
		}
	}
	if _, err := j.Result(t.Context()); n < 3 || !errors.Is(err, arcp.CodeCancelled) || j.Status() != arcp.StatusCancelled {
		t.Errorf("endless: %d events, %v, %s", n, err, j.Status())
	}
}

// observe follows a job from another session of the same principal, and finds it in the list.
func observe(t *testing.T, s *client.Session, id string) {
	j, err := s.Attach(t.Context(), id)
	if err != nil {
		t.Errorf("Attach = %v", err)
		return
	}
	wantThoughts(t, "observer", j, events)
	n := 0
	for row, err := range s.Jobs(t.Context(), nil) {
		if err != nil {
			t.Errorf("Jobs = %v", err)
			return
		}
		if row.JobID == id && row.Status != arcp.StatusSuccess {
			t.Errorf("the list has %+v", row)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d jobs listed, want 3", n)
	}
}
