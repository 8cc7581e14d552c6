package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/internal/invariant"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
)

var errKilled = errors.New("killed")

// mortal is what one life of a runtime has of the store: it is killed at an operation, with those before it done, be they of one batch.
type mortal struct {
	*store.Memory
	mu   sync.Mutex
	left int // operations; negative is for ever
	dead bool
	node store.NodeID
}

func (m *mortal) Level() store.Durability { return store.ProcessKill }

func (m *mortal) Join(ctx context.Context, id store.NodeID) (store.Node, error) {
	m.node = id
	return m.Memory.Join(ctx, id)
}

// spend says whether an operation may still be done.
func (m *mortal) spend() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left == 0 {
		m.dead = true
	}
	m.left--
	return !m.dead
}

func (m *mortal) Commit(ctx context.Context, b *store.Batch) error {
	for i := range b.Ops {
		if !m.spend() {
			return &store.BatchError{Done: i, Key: b.Ops[i].Key, Err: errKilled}
		}
		if err := m.Memory.Commit(ctx, &store.Batch{Ops: b.Ops[i : i+1]}); err != nil {
			var refused *store.BatchError
			if errors.As(err, &refused) {
				refused.Done = i
			}
			return err
		}
	}
	return nil
}

func (m *mortal) Acquire(ctx context.Context, n store.NodeID, k store.Key, e store.Epoch) (store.Epoch, store.Head, error) {
	if !m.spend() {
		return 0, store.Head{}, errKilled
	}
	return m.Memory.Acquire(ctx, n, k, e)
}

func (m *mortal) Trim(ctx context.Context, k store.Key, e store.Epoch, before uint64) error {
	if !m.spend() {
		return errKilled
	}
	return m.Memory.Trim(ctx, k, e, before)
}

// lives is a runtime that is killed at operation n of each life in turn, and started again over what it left.
type lives struct {
	t      *testing.T
	rec    *invariant.Recorder
	memory *store.Memory
	kills  []int
	wg     sync.WaitGroup
	over   chan struct{} // closed when it shall not be started again

	mu sync.Mutex
	rt *arcprt.Runtime // nil while there is none
	n  int             // lives begun
}

func (l *lives) Dial(context.Context) (transport.Conn, error) {
	l.mu.Lock()
	rt := l.rt
	l.mu.Unlock()
	if rt == nil {
		return nil, errors.New("connection refused")
	}
	ours, theirs := transport.Pipe()
	end := l.rec.Conn(theirs, arcp.FromRuntime)
	l.wg.Go(func() { _ = rt.Serve(context.Background(), end) })
	return ours, nil
}

// live is one life after the other.
func (l *lives) live() {
	for l.life() {
		time.Sleep(100 * time.Millisecond)
	}
}

func (l *lives) life() (again bool) {
	m := &mortal{Memory: l.memory, left: -1}
	if l.n < len(l.kills) {
		m.left = l.kills[l.n]
	}
	rt, err := arcprt.New(&arcprt.Options{
		Name: "e2e", Verifier: tokens("alice"), Store: m, Limits: arcprt.Limits{HeartbeatInterval: time.Second}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		l.t.Error(err)
		return false
	}
	for name, a := range map[string]arcprt.Agent{
		"count": arcprt.Restartable(arcprt.AgentFunc(count)), "stream": arcprt.Restartable(arcprt.AgentFunc(stream)), "endless": arcprt.AgentFunc(endless),
	} {
		if err := rt.Handle(name, a); err != nil {
			l.t.Error(err)
		}
	}
	err = rt.Start(context.Background())
	l.mu.Lock()
	l.n++
	if l.rt = rt; err != nil {
		l.rt = nil
	}
	l.mu.Unlock()
	defer func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = rt.Shutdown(ctx)
	}()
	if err == nil {
		select {
		case <-rt.Failed():
		case <-l.over:
			return false
		}
	}
	l.mu.Lock()
	l.rt = nil
	l.mu.Unlock()
	l.memory.Lose(m.node)
	return true
}

// TestKillAtEveryCommit: a runtime with three jobs, an observer and a key is killed after operation n of its store, for every n there is, and the next one, too, while
// it is being started. Clients go on by themselves: each entry of each log is seen once, in order, and what was answered holds. guards A14, A19, D3, D4.
func TestKillAtEveryCommit(t *testing.T) {
	t.Parallel()
	for part := range 4 {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			n := part
			for hit := true; hit; n += 4 {
				synctest.Test(t, func(t *testing.T) { hit = survive(t, n, n%11+1) })
				if t.Failed() {
					t.Fatalf("killed after %d operations", n)
				}
			}
			if n < 40 {
				t.Errorf("the conversation has %d operations only", n)
			}
			t.Logf("%d operations", n)
		})
	}
}

// survive has a conversation with a runtime that is killed after so many operations of each life, and says whether that came to be.
func survive(t *testing.T, kills ...int) bool {
	l := &lives{t: t, rec: invariant.NewRecorder(), memory: store.NewMemory(), kills: kills, over: make(chan struct{})}
	var living sync.WaitGroup
	living.Go(l.live)
	synctest.Wait()
	a, b := l.connect(), l.connect()
	if !t.Failed() {
		l.converse(a, b)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, s := range []*client.Session{a, b} {
		if s != nil {
			_ = s.Close(ctx)
		}
	}
	close(l.over)
	living.Wait()
	l.wg.Wait()
	l.rec.Report(t, invariant.Options{Died: true, Whole: !t.Failed()})
	return l.n > 1
}

// connect tries until there is a runtime.
func (l *lives) connect() *client.Session {
	for range 100 {
		s, err := client.Connect(l.t.Context(), l, &client.Options{Token: "alice", HandshakeTimeout: 2 * time.Second})
		if err == nil {
			return s
		}
		time.Sleep(50 * time.Millisecond)
	}
	l.t.Error("no session")
	return nil
}

func (l *lives) converse(a, b *client.Session) {
	t := l.t
	jobs := make([]*client.Job, 3)
	for i, agent := range []string{"count", "stream", "endless"} {
		j, err := a.Submit(t.Context(), &arcp.JobSubmit{Agent: agent, IdempotencyKey: agent})
		if err != nil {
			t.Errorf("Submit = %v", err)
			return
		}
		jobs[i] = j
	}
	var wg sync.WaitGroup
	wg.Go(func() { wantRuns(t, "count", jobs[0]) })
	wg.Go(func() { wantLastStream(t, jobs[1]) })
	wg.Go(func() { wantEnd(t, jobs[2]) })
	wg.Go(func() {
		seen, err := b.Attach(t.Context(), jobs[0].ID())
		if err != nil {
			t.Errorf("Attach = %v", err)
			return
		}
		wantRuns(t, "observer", seen)
		again, err := b.Submit(t.Context(), &arcp.JobSubmit{Agent: "count", IdempotencyKey: "count"})
		if err != nil || again.ID() != jobs[0].ID() {
			t.Errorf("the key led to %v, %v", again, err)
		}
	})
	wg.Wait()
}

// wantRuns reads a job that may run several times: each run begins at 0, and the last is whole.
func wantRuns(t *testing.T, who string, j *client.Job) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var seen []string
	for ev, err := range j.Events(ctx) {
		if err != nil {
			t.Errorf("%s: Events = %v after %v", who, err, seen)
			return
		}
		switch b := ev.Body.(type) {
		case *arcp.ThoughtBody:
			if b.Text != fmt.Sprint(len(seen)) {
				t.Errorf("%s: %s after %v", who, b.Text, seen)
			}
			seen = append(seen, b.Text)
		case *arcp.StatusBody:
			if b.Phase != arcp.PhaseRestarted {
				t.Errorf("%s: status %s", who, b.Phase)
			}
			seen = nil
		}
	}
	if r, err := j.Result(t.Context()); err != nil || string(r.Result) != `"counted"` || len(seen) != events {
		t.Errorf("%s: Result = %v, %v after %v", who, r, err, seen)
	}
}

// wantLastStream reads a result that may be streamed several times: the last is whole.
func wantLastStream(t *testing.T, j *client.Job) {
	res, err := j.Result(t.Context())
	if err != nil {
		t.Errorf("stream: Result = %v", err)
		return
	}
	r, err := j.ResultReader(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	if got := strings.Join(strings.Fields(string(data)), ","); err != nil || got != "0,1,2,3" {
		t.Errorf("the stream %s is %.60s (%d bytes), %v", res.ResultID, got, len(data), err)
	}
}

// wantEnd cancels a job that cannot run again: it is cancelled, or ends with its runtime.
func wantEnd(t *testing.T, j *client.Job) {
	asked := false
	var seen []string
	for ev, err := range j.Events(t.Context()) {
		if err != nil {
			t.Errorf("endless: Events = %v", err)
			return
		}
		seen = append(seen, ev.Body.(*arcp.ThoughtBody).Text)
		if len(seen) == 3 {
			asked = j.Cancel(t.Context(), "enough") == nil
		}
	}
	for i := range seen {
		if seen[i] != fmt.Sprint(i) {
			t.Errorf("endless: saw %v", seen)
			break
		}
	}
	_, err := j.Result(t.Context())
	restarted := errors.Is(err, arcp.CodeInternalError)
	if cancelled := errors.Is(err, arcp.CodeCancelled); !cancelled && !restarted || asked && !cancelled {
		t.Errorf("endless: %v, cancel answered %v, after %v", err, asked, seen)
	}
}
