package runtime_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// mortal is a memory store that says it survives a killed process, and knows who joined it last.
type mortal struct {
	*store.Memory
	level store.Durability
	node  store.NodeID
	reads atomic.Int64 // of jobs
}

func (m *mortal) Level() store.Durability { return m.level }

func (m *mortal) Join(ctx context.Context, id store.NodeID) (store.Node, error) {
	m.node = id
	return m.Memory.Join(ctx, id)
}

func (m *mortal) Read(ctx context.Context, k store.Key, from uint64, most int) ([]store.Segment, error) {
	if k.Kind == store.KindJob {
		m.reads.Add(1)
	}
	return m.Memory.Read(ctx, k, from, most)
}

// lives is a runtime that dies and is started again over what it left, and its clients. The one that lives is nodes.a.
type lives struct {
	*nodes
	store *mortal
	dead  []*bench
	more  func(*runtime.Options) // of the next life; nil is nothing
	agent runtime.AgentFunc      // what the agent "any" does; nil leaves the next life without
}

// onLives runs f in a bubble.
func onLives(t *testing.T, f func(t *testing.T, l *lives)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mortal{Memory: store.NewMemory(), level: store.ProcessKill}
		l := &lives{nodes: &nodes{Memory: m.Memory, steps: make(chan struct{})}, store: m}
		l.begin(t)
		defer func() {
			for _, c := range l.conns {
				_ = c.Close("")
			}
			for _, b := range append(l.dead, l.a) {
				b.stop(t)
			}
			l.served.Wait()
		}()
		f(t, l)
	})
}

func (l *lives) begin(t *testing.T) {
	t.Helper()
	l.a = newBench(t, func(o *runtime.Options) {
		o.Store = l.store
		if l.more != nil {
			l.more(o)
		}
	})
	if l.agent != nil {
		if err := l.a.Handle("any", runtime.Restartable(l.agent)); err != nil {
			t.Fatal(err)
		}
	}
	for name, agent := range map[string]runtime.Agent{
		"steps": runtime.AgentFunc(l.step),
		"again": runtime.Restartable(runtime.AgentFunc(l.step)),
		"twice": runtime.Restartable(runtime.AgentFunc(l.twice)),
	} {
		if err := l.a.Handle(name, agent); err != nil {
			t.Fatal(err)
		}
	}
}

// twice streams half of a result in its first run, and all of it in its second.
func (l *lives) twice(ctx context.Context, task *runtime.Task) error {
	w, err := task.ResultWriter(ctx, arcp.EncodingUTF8)
	if err != nil {
		return err
	}
	text := "first run, far from done"
	if task.Attempt() > 1 {
		text = "second run"
	}
	if _, err := w.Write([]byte(text)); err != nil || task.Attempt() > 1 {
		return err
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// die ends the runtime as a kill would: from now on it commits nothing, and its links are gone.
func (l *lives) die(t *testing.T) {
	t.Helper()
	if !l.Lose(l.store.node) {
		t.Fatal("the runtime was dead already")
	}
	synctest.Wait()
	l.dead = append(l.dead, l.a)
	l.a = nil
}

// restart is death and the next life.
func (l *lives) restart(t *testing.T) {
	t.Helper()
	l.die(t)
	l.begin(t)
	if err := l.a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// count says how many keys of a kind the store has with an id.
func (l *lives) has(t *testing.T, kind store.Kind, id string) bool {
	t.Helper()
	_, err := l.Lookup(t.Context(), store.Key{Kind: kind, ID: id})
	return err == nil
}

func maxRuntime(sec uint64, agent string) *arcp.JobSubmit {
	return &arcp.JobSubmit{Agent: agent, MaxRuntimeSec: &sec}
}
