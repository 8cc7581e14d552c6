package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// TestManyJobsOnOneSession: each submit gets its own job, each job its own events and result. guards C9, A3.
func TestManyJobsOnOneSession(t *testing.T) {
	w := open(t, nil, map[string]arcprt.AgentFunc{"count": func(ctx context.Context, t *arcprt.Task) error {
		for i := range 50 {
			if err := t.Emit(ctx, &arcp.ThoughtBody{Text: fmt.Sprintf("%s %d", t.Input(), i)}); err != nil {
				return err
			}
		}
		return t.SetResult(t.Input())
	}})
	s := w.connect("alice")
	var wg sync.WaitGroup
	for n := range 200 {
		wg.Go(func() {
			input := fmt.Sprint(n)
			j, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: "count", Input: arcp.RawJSON(input)})
			if err != nil {
				t.Error(err)
				return
			}
			i := 0
			for ev, err := range j.Events(t.Context()) {
				if want := fmt.Sprintf("%s %d", input, i); err != nil || ev.Body.(*arcp.ThoughtBody).Text != want {
					t.Errorf("job %d event %d: %v, %v", n, i, ev, err)
					return
				}
				i++
			}
			if r, err := j.Result(t.Context()); err != nil || string(r.Result) != input || i != 50 {
				t.Errorf("job %d: %d events, result %v, %v", n, i, r, err)
			}
		})
	}
	wg.Wait()
}

// TestResults: random bytes and text of every size come back whole through default options on both sides. guards C14.
func TestResults(t *testing.T) {
	w := open(t, nil, map[string]arcprt.AgentFunc{
		"bytes": func(ctx context.Context, t *arcprt.Task) error { return produce(ctx, t, arcp.EncodingBase64) },
		"text":  func(ctx context.Context, t *arcprt.Task) error { return produce(ctx, t, arcp.EncodingUTF8) },
		"large": func(_ context.Context, t *arcprt.Task) error {
			return t.SetResult(arcp.RawJSON(`"` + string(bytes.Repeat([]byte("é"), 1_000_000)) + `"`))
		},
	})
	s := w.connect("alice")
	for _, size := range []int{0, 1, 3, 262_143, 262_144, 262_145, 3_000_000} {
		for _, agent := range []string{"bytes", "text"} {
			j := w.submit(s, agent, fmt.Sprint(size))
			got := readResult(t, j)
			want := content(size, agent == "text")
			if !bytes.Equal(got, want) {
				t.Errorf("%s of %d bytes: %d came back, equal: false", agent, size, len(got))
			}
		}
	}
	j := w.submit(s, "large", "null")
	if got := readResult(t, j); len(got) != 2_000_002 {
		t.Errorf("large inline result: %d bytes, want %d", len(got), 2_000_002)
	}
	if r, err := j.Result(t.Context()); err != nil || r.ResultID == "" || *r.ResultSize != 2_000_002 {
		t.Errorf("large inline result = %+v, %v, want it streamed", r, err)
	}
}

func readResult(t *testing.T, j *client.Job) []byte {
	t.Helper()
	r, err := j.ResultReader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// content is the same for the same size: bytes, or text with runes of every width and characters that JSON escapes.
func content(size int, text bool) []byte {
	rng := rand.New(rand.NewPCG(uint64(size), 1))
	out := make([]byte, 0, size)
	for len(out) < size {
		if text {
			out = append(out, []string{"a", "é", "語", "🙂", "\"", "\x01", "\n"}[rng.IntN(7)]...)
		} else {
			out = append(out, byte(rng.Uint32()))
		}
	}
	return out
}

func produce(ctx context.Context, t *arcprt.Task, e arcp.ResultEncoding) error {
	var size int
	if _, err := fmt.Sscan(string(t.Input()), &size); err != nil {
		return err
	}
	w, err := t.ResultWriter(ctx, e)
	if err != nil {
		return err
	}
	rest := content(size, e == arcp.EncodingUTF8)
	for len(rest) > 0 {
		n := min(len(rest), 100_003)
		if _, err := w.Write(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return w.Close()
}

// TestOneTerminal races the agent's return, a cancel and the deadline: each job ends once, and nothing follows. guards C2, C1, C3.
func TestOneTerminal(t *testing.T) {
	w := open(t, nil, map[string]arcprt.AgentFunc{"brief": func(ctx context.Context, t *arcprt.Task) error {
		for range rand.IntN(3) {
			_ = t.Emit(ctx, &arcp.ThoughtBody{Text: "x"})
		}
		if rand.IntN(2) == 0 {
			<-ctx.Done()
		}
		return nil
	}})
	s := w.connect("alice")
	seen := map[arcp.ErrorCode]int{}
	for range 500 {
		j := w.submit(s, "brief", "null")
		cancelled := j.Cancel(t.Context(), "")
		_, err := j.Result(t.Context())
		code := arcp.ErrorCode("")
		if err != nil {
			code = arcp.CodeOf(err)
		}
		seen[code]++
		if cancelled == nil && code != arcp.CodeCancelled || cancelled != nil && code != "" {
			t.Fatalf("Cancel = %v, but the job ended with %v", cancelled, err)
		}
	}
	if len(seen) == 0 || seen[arcp.CodeCancelled] == 0 {
		t.Errorf("ends = %v, want some cancelled", seen)
	}
}

// TestStrangersJob: to another principal a job does not exist, and nothing happens to it. guards B11, C7.
func TestStrangersJob(t *testing.T) {
	w := open(t, nil, map[string]arcprt.AgentFunc{"wait": wait})
	j := w.submit(w.connect("alice"), "wait", "null")
	c := w.raw()
	send(t, c, hello("bob"))
	session := receive(t, c).SessionID
	var answers []arcp.SessionError
	for _, id := range []string{j.ID(), "job_unknown"} {
		send(t, c, &arcp.Envelope{ID: "c", SessionID: session, Payload: &arcp.JobCancel{JobID: id}})
		answers = append(answers, *receive(t, c).Payload.(*arcp.SessionError))
	}
	if fmt.Sprint(answers[0]) != fmt.Sprint(answers[1]) || answers[0].Code != arcp.CodeJobNotFound {
		t.Errorf("answers differ or tell: %+v", answers)
	}
	if s := j.Status(); s != arcp.StatusRunning {
		t.Errorf("the job is %s", s)
	}
	// Another session of the same principal sees it and may not cancel it.
	d := w.raw()
	send(t, d, hello("alice"))
	session = receive(t, d).SessionID
	send(t, d, &arcp.Envelope{ID: "c", SessionID: session, Payload: &arcp.JobCancel{JobID: j.ID()}})
	if e := receive(t, d).Payload.(*arcp.SessionError); e.Code != arcp.CodePermissionDenied {
		t.Errorf("cancel from another session = %v, want PERMISSION_DENIED", e.Code)
	}
}

// TestJobsOutliveTheirSession guards A13.
func TestJobsOutliveTheirSession(t *testing.T) {
	gate, ended := make(chan struct{}), make(chan error, 1)
	w := open(t, nil, map[string]arcprt.AgentFunc{"slow": func(ctx context.Context, t *arcprt.Task) error {
		<-gate
		ended <- t.Emit(ctx, &arcp.ThoughtBody{Text: "still here"})
		return nil
	}})
	s := w.connect("alice")
	w.submit(s, "slow", "null")
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(gate)
	if err := <-ended; err != nil {
		t.Errorf("Emit after the session closed = %v", err)
	}
}

// TestShutdown lets a running job end, tells the client, and leaves nothing behind.
func TestShutdown(t *testing.T) {
	proceed := make(chan struct{})
	w := open(t, nil, map[string]arcprt.AgentFunc{"slow": func(_ context.Context, t *arcprt.Task) error {
		<-proceed
		return t.SetResult(arcp.RawJSON(`"done"`))
	}, "wait": wait})
	s, err := client.Connect(t.Context(), w.dialer(), &client.Options{Token: "alice", Reconnect: &client.Reconnect{Off: true}})
	if err != nil {
		t.Fatal(err)
	}
	j := w.submit(s, "slow", "null")
	down := make(chan error, 1)
	go func() { down <- w.rt.Shutdown(context.Background()) }()
	for {
		_, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: "slow"})
		if err != nil {
			break // jobs are refused from some moment on
		}
	}
	close(proceed)
	if r, err := j.Result(t.Context()); err != nil || string(r.Result) != `"done"` {
		t.Errorf("the job under way = %v, %v, want its result", r, err)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	select {
	case <-s.Done():
	case <-time.After(time.Minute):
		t.Error("the session did not end")
	}
	if _, err := client.Connect(t.Context(), w.dialer(), &client.Options{Token: "alice"}); err == nil {
		t.Error("a stopped runtime took a session")
	}
}

// Who asks for what follows the last entry of a finished job is told its end all the same.
func TestSubscribeBehindTheEnd(t *testing.T) {
	w := open(t, nil, map[string]arcprt.AgentFunc{"short": func(_ context.Context, t *arcprt.Task) error { return t.SetResult(arcp.RawJSON(`7`)) }})
	j := w.submit(w.connect("alice"), "short", "null")
	if _, err := j.Result(t.Context()); err != nil {
		t.Fatal(err)
	}
	late, err := w.connect("alice").Subscribe(t.Context(), j.ID(), &client.SubscribeOptions{History: true, From: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := late.Result(t.Context()); err != nil || string(r.Result) != "7" {
		t.Errorf("Result = %+v, %v, want 7", r, err)
	}
}
