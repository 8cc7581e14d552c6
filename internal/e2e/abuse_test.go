package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// TestBadFrames: each is answered, and the link is good for a job afterwards. guards I7, I10, J5, T8.
func TestBadFrames(t *testing.T) {
	w := open(t, nil, map[string]arcprt.AgentFunc{"echo": echo})
	c := w.raw()
	send(t, c, hello("alice"))
	session := receive(t, c).SessionID
	frame := func(input string) string {
		return `{"arcp":"1.1","id":"m","type":"job.submit","session_id":"` + session + `","payload":{"agent":"echo","input":` + input + `}}`
	}
	for _, bad := range []struct{ name, frame string }{
		{"5 MiB", frame(`"` + strings.Repeat("x", 5<<20) + `"`)},
		{"65 levels", frame(strings.Repeat("[", 65) + strings.Repeat("]", 65))},
		{"invalid UTF-8", frame("\"\xff\"")},
		{"lone surrogate", frame(`"\ud800"`)},
		{"duplicate key", frame(`{"a":1,"a":2}`)},
		{"no JSON", "hello"},
		{"long number", frame(strings.Repeat("9", 100))},
	} {
		if err := c.Write([]byte(bad.frame)); err != nil {
			t.Fatal(err)
		}
		if err := c.Flush(); err != nil {
			t.Fatal(err)
		}
		e, ok := receive(t, c).Payload.(*arcp.SessionError)
		if !ok || e.Code != arcp.CodeInvalidRequest || e.Message == "" {
			t.Errorf("%s: answer %+v", bad.name, e)
		}
	}
	if err := errors.Join(c.Write([]byte(frame("7"))), c.Flush()); err != nil {
		t.Fatal(err)
	}
	if _, ok := receive(t, c).Payload.(*arcp.JobAccepted); !ok {
		t.Error("the link is not usable after bad frames")
	}
}

// TestUnreadEvents: nobody reads one job's events; its emitter, its cancel and other jobs do not notice. guards B6, J1, K1.
func TestUnreadEvents(t *testing.T) {
	emitted := make(chan struct{})
	w := open(t, nil, map[string]arcprt.AgentFunc{"echo": echo, "flood": func(ctx context.Context, t *arcprt.Task) error {
		for range 50_000 {
			if err := t.Emit(ctx, &arcp.ThoughtBody{Text: strings.Repeat("x", 100)}); err != nil {
				return err
			}
		}
		close(emitted)
		return wait(ctx, t)
	}})
	s, err := client.Connect(t.Context(), w.dialer(), &client.Options{Token: "alice", EventBytes: 512 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close(context.Background()) }()
	flood := w.submit(s, "flood", "null")
	for i := range 100 {
		if r, err := w.submit(s, "echo", fmt.Sprint(i)).Result(t.Context()); err != nil || string(r.Result) != fmt.Sprint(i) {
			t.Fatalf("job beside the flood: %v, %v", r, err)
		}
	}
	<-emitted
	if err := flood.Cancel(t.Context(), "enough"); err != nil {
		t.Fatal(err)
	}
	if _, err := flood.Result(t.Context()); !errors.Is(err, arcp.CodeCancelled) {
		t.Errorf("Result = %v, want CANCELLED", err)
	}
	n := uint64(0)
	for ev, err := range flood.Events(t.Context()) { // what was not kept here is had from the runtime
		if err == nil && ev.Kind == arcp.KindStatus {
			continue // back pressure
		}
		if n++; err != nil || ev.ID != arcp.EventID(flood.ID(), n) {
			t.Fatalf("event %d = %v, %v", n, ev, err)
		}
	}
	if n != 50_000 {
		t.Errorf("%d events, want 50000", n)
	}
}

// floodEvents is two million, far past every cap; in short tests it is only past them.
func floodEvents() int {
	if testing.Short() {
		return 100_000
	}
	return 2_000_000
}

// TestPeerThatNeverReads: a peer stops reading its socket. The emitter goes on and comes to its end, memory stays bounded, the peer is
// cut, and another session does not notice. guards B6, J1, J2.
func TestPeerThatNeverReads(t *testing.T) {
	done := make(chan error, 1)
	w := open(t, func(o *arcprt.Options) { o.Limits.UnwrittenBytes, o.Limits.LogBytes = 1<<20, 2<<20 }, map[string]arcprt.AgentFunc{
		"echo": echo,
		"flood": func(ctx context.Context, t *arcprt.Task) error {
			for range floodEvents() {
				if err := t.Emit(ctx, &arcp.ThoughtBody{Text: strings.Repeat("x", 200)}); err != nil {
					done <- err
					return err
				}
			}
			done <- nil
			return nil
		},
	})
	c := w.raw()
	send(t, c, hello("alice"))
	session := receive(t, c).SessionID
	send(t, c, &arcp.Envelope{ID: "m", SessionID: session, Payload: &arcp.JobSubmit{Agent: "flood"}})
	other := w.connect("bob")
	for i := range 50 {
		if _, err := w.submit(other, "echo", fmt.Sprint(i)).Result(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Errorf("the emitter was held up or refused: %v", err)
	}
	if heap := heapBytes(); heap > 64<<20 {
		t.Errorf("heap is %d MiB after a flood that nobody read", heap>>20)
	}
	var last *arcp.Envelope
	for {
		frame, err := c.Read(nil)
		if err != nil {
			break
		}
		if last, err = arcp.Decode(frame); err != nil {
			t.Fatal(err)
		}
	}
	if e, ok := last.Payload.(*arcp.SessionError); !ok || e.Code != arcp.CodeInternalError {
		t.Errorf("last frame = %+v, want the reason of the cut", last.Payload)
	}
}

// TestFailedHandshakes leave nothing behind: no goroutine, which open looks for, no descriptor, no memory to speak of. guards J8, I5.
func TestFailedHandshakes(t *testing.T) {
	attempts := 10_000
	if testing.Short() {
		attempts = 300
	}
	w := open(t, nil, nil)
	fail := func(n int) {
		for range n {
			_, err := client.Connect(t.Context(), w.dialer(), &client.Options{Token: "mallory"})
			if !errors.Is(err, arcp.CodeUnauthenticated) {
				t.Fatalf("Connect = %v, want UNAUTHENTICATED", err)
			}
		}
	}
	fail(100)
	heap, files := heapBytes(), descriptors()
	fail(attempts)
	if grown := heapBytes() - heap; grown > 4<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	if now := descriptors(); now > files+20 {
		t.Errorf("%d descriptors are open, %d were before", now, files)
	}
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// descriptors counts the open files of this process, where the system tells.
func descriptors() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

// TestExpiredPrincipal loses its session at the moment its credentials end. guards I11.
func TestExpiredPrincipal(t *testing.T) {
	verify := func(context.Context, string, string) (*arcprt.Principal, error) {
		return &arcprt.Principal{ID: "brief", Expires: time.Now().Add(50 * time.Millisecond)}, nil
	}
	w := open(t, func(o *arcprt.Options) { o.Verifier = arcprt.VerifierFunc(verify) }, nil)
	c := w.raw()
	send(t, c, hello("any"))
	receive(t, c)
	if e, ok := receive(t, c).Payload.(*arcp.SessionError); !ok || e.Code != arcp.CodeUnauthenticated {
		t.Errorf("frame = %+v, want UNAUTHENTICATED", e)
	}
	if _, err := c.Read(nil); err == nil {
		t.Error("the link goes on")
	}
}

// TestNobodyComesInUnasked: a runtime that was not told whom to let in does not start, and one that trusts transports lets
// nobody in over a socket, which vouches for nobody. guards I3, T2.
func TestNobodyComesInUnasked(t *testing.T) {
	if _, err := arcprt.New(nil); err == nil {
		t.Error("New(nil) succeeded")
	}
	w := open(t, func(o *arcprt.Options) { o.Verifier, o.TrustTransport = nil, true }, nil)
	if _, err := client.Connect(t.Context(), w.dialer(), &client.Options{Token: "alice"}); !errors.Is(err, arcp.CodeUnauthenticated) {
		t.Errorf("Connect = %v, want UNAUTHENTICATED", err)
	}
}

// TestPanickingVerifier costs the peer its connection and nobody else anything.
func TestPanickingVerifier(t *testing.T) {
	w := open(t, func(o *arcprt.Options) {
		o.Verifier = arcprt.VerifierFunc(func(_ context.Context, _, token string) (*arcprt.Principal, error) {
			if token == "boom" {
				panic("canary")
			}
			return &arcprt.Principal{ID: token}, nil
		})
	}, map[string]arcprt.AgentFunc{"echo": echo})
	s := w.connect("alice")
	if _, err := client.Connect(t.Context(), w.dialer(), &client.Options{Token: "boom"}); !errors.Is(err, client.ErrLinkLost) || strings.Contains(err.Error(), "canary") {
		t.Errorf("Connect = %v, want a lost link and no more", err)
	}
	if _, err := w.submit(s, "echo", "1").Result(t.Context()); err != nil {
		t.Error(err)
	}
}
