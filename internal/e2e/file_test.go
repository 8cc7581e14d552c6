package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/arcpkit/arcp/internal/invariant"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
	"github.com/arcpkit/arcp/pkg/transport"
)

// onFile is a runtime over a file that is closed and opened again.
type onFile struct {
	t    *testing.T
	dir  string
	rec  *invariant.Recorder
	gate chan struct{} // the agent "again" ends once it is closed
	wg   sync.WaitGroup

	mu    sync.Mutex
	rt    *arcprt.Runtime // nil while there is none
	store *sqlite.Store
}

func (f *onFile) Dial(context.Context) (transport.Conn, error) {
	f.mu.Lock()
	rt := f.rt
	f.mu.Unlock()
	if rt == nil {
		return nil, errors.New("connection refused")
	}
	ours, theirs := transport.Pipe()
	end := f.rec.Conn(theirs, arcp.FromRuntime)
	f.wg.Go(func() { _ = rt.Serve(context.Background(), end) })
	return ours, nil
}

func (f *onFile) up() {
	f.t.Helper()
	s, err := sqlite.Open(f.t.Context(), f.dir, &sqlite.Options{Sync: store.ProcessKill})
	if err != nil {
		f.t.Fatal(err)
	}
	rt, err := arcprt.New(&arcprt.Options{Name: "e2e", Verifier: tokens("alice"), Store: s, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = rt.Handle("echo", arcprt.AgentFunc(echo))
	}
	if err == nil {
		err = rt.Handle("again", arcprt.Restartable(arcprt.AgentFunc(f.again)))
	}
	if err == nil {
		err = rt.Start(f.t.Context())
	}
	if err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	f.rt, f.store = rt, s
	f.mu.Unlock()
}

func (f *onFile) down() {
	f.t.Helper()
	f.mu.Lock()
	rt := f.rt
	f.rt = nil
	f.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := rt.Shutdown(ctx); err != nil && !errors.Is(err, context.Canceled) {
		f.t.Error(err)
	}
	if err := f.store.Close(); err != nil {
		f.t.Error(err)
	}
}

func (f *onFile) again(ctx context.Context, t *arcprt.Task) error {
	if err := t.Emit(ctx, &arcp.ThoughtBody{Text: fmt.Sprint("run ", t.Attempt())}); err != nil {
		return err
	}
	select {
	case <-f.gate:
		return t.SetResult(arcp.RawJSON(fmt.Sprint(t.Attempt())))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// TestRestartOnAFile: sessions, jobs, keys and lists are what they were when the file is opened again, and clients go on by themselves. guards A19.
func TestRestartOnAFile(t *testing.T) {
	t.Parallel()
	f := &onFile{t: t, dir: t.TempDir(), rec: invariant.NewRecorder(), gate: make(chan struct{})}
	f.up()
	s := persist(t, f)
	submit := func(agent, key string) *client.Job {
		j, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: agent, Input: arcp.RawJSON(`"x"`), IdempotencyKey: key})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	done, running := submit("echo", "done"), submit("again", "running")
	if _, err := done.Result(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := running.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		f.down()
		f.up()
	}
	close(f.gate)
	if r, err := running.Result(t.Context()); err != nil || string(r.Result) != "3" {
		t.Errorf("Result = %v, %v, want that of the third run", r, err)
	}
	other := persist(t, f)
	seen, err := other.Attach(t.Context(), done.ID())
	if err != nil {
		t.Fatal(err)
	}
	if r, err := seen.Result(t.Context()); err != nil || string(r.Result) != `"x"` {
		t.Errorf("the finished job's Result = %v, %v", r, err)
	}
	if j := submit("again", "running"); j.ID() != running.ID() {
		t.Errorf("the key leads to %s, want %s", j.ID(), running.ID())
	}
	n := 0
	for row, err := range other.Jobs(t.Context(), nil) {
		if err != nil || row.Status != arcp.StatusSuccess {
			t.Errorf("listed %+v, %v", row, err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d jobs listed, want 2", n)
	}
	_, _ = s.Close(t.Context()), other.Close(t.Context())
	f.down()
	f.wg.Wait()
	f.rec.Report(t, invariant.Options{Died: true, Whole: true})
}
