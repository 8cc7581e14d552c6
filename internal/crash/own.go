package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/provision"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// own is the small runtime of the sweep: it kills itself at a commit.
type own struct {
	data   string
	killAt int64
	after  bool
	termAt int64
	lies   int64
	limits arcprt.Limits

	gateway string // where to mint keys; empty is nowhere
	leaves  bool   // a planted bug: keys are not revoked
}

func playServer(args []string, stderr io.Writer) error {
	var o own
	f := flag.NewFlagSet(roleServer, flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.data, "data", "", "folder of the store")
	f.Int64Var(&o.killAt, "kill-at", 0, "the commit, counted from 1, at which to die; 0 is never")
	f.BoolVar(&o.after, "after", false, "die when the commit is done, and not before it")
	f.Int64Var(&o.termAt, "term-at", 0, "the commit at which to be told to end; 0 is never")
	f.Int64Var(&o.limits.LogBytes, "log-bytes", 0, "what is kept of one job's log; 0 is the default")
	f.Int64Var(&o.limits.ChunkBytes, "chunk-bytes", 0, "the largest result chunk; 0 is the default")
	f.Int64Var(&o.lies, "lies", 0, "so many commits before that one are acknowledged and not done: a planted bug")
	f.StringVar(&o.gateway, "gateway", "", "the URL of a gateway to mint keys at")
	f.BoolVar(&o.leaves, "leaves", false, "a planted bug: keys are not revoked")
	if err := f.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return o.serve(ctx, stderr)
}

func (o *own) serve(ctx context.Context, stderr io.Writer) error {
	engine, err := sqlite.Open(ctx, o.data, nil)
	if err != nil {
		return err
	}
	st := &mortal{Store: engine, at: o.killAt, term: o.termAt, after: o.after, lies: o.lies}
	rt, err := arcprt.New(&arcprt.Options{
		Verifier: verifier(), Store: st, Logger: slog.New(slog.NewTextHandler(stderr, nil)), Limits: o.limits, Provisioner: o.provisioner(), AnyModel: true,
	})
	if err != nil {
		return err
	}
	for name, agent := range map[string]arcprt.Agent{
		agentAgain: arcprt.Restartable(arcprt.AgentFunc(doWork)), agentOnce: arcprt.AgentFunc(doWork),
		agentMints + agentAgain: arcprt.Restartable(arcprt.AgentFunc(mint)), agentMints + agentOnce: arcprt.AgentFunc(mint),
	} {
		if err := rt.Handle(name, agent); err != nil {
			return err
		}
	}
	if err := rt.Start(ctx); err != nil {
		return err
	}
	ln, err := ws.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(arcp.DefaultPath, ws.Handler(&ws.Options{Subprotocol: arcp.Subprotocol}, func(ctx context.Context, c transport.Conn) {
		_ = rt.Serve(ctx, c)
	}))
	fmt.Fprintf(stderr, "listening on ws://%s%s\n", ln.Addr(), arcp.DefaultPath)
	if err := ws.Serve(ctx, ln, mux, nil); err != nil {
		return err
	}
	over, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_ = rt.Shutdown(over)
	fmt.Fprintf(stderr, "commits %d\n", st.commits.Load())
	return engine.Close()
}

// mortal is a store that ends its process at a commit. What other processes see of it then is what a SIGKILL leaves.
type mortal struct {
	store.Store
	at      int64
	term    int64 // the commit at which the process is told to end
	after   bool
	lies    int64 // commits that it only says it has done
	commits atomic.Int64
}

// Commit does what the store does, unless it is the one.
func (m *mortal) Commit(ctx context.Context, b *store.Batch) error {
	n := m.commits.Add(1)
	if n == m.term {
		signalSelf(syscall.SIGTERM)
	}
	if n == m.at && !m.after {
		die()
	}
	if n < m.at && n >= m.at-m.lies {
		return nil
	}
	err := m.Store.Commit(ctx, b)
	if n == m.at {
		die()
	}
	return err
}

// die is SIGKILL: nothing is deferred, nothing flushed.
func die() {
	signalSelf(os.Kill)
	select {}
}

func signalSelf(s os.Signal) {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Signal(s)
	}
}

// streamFrom is the size from which the agents of the sweep stream their results.
const streamFrom = 1000

// doWork is the agent of the sweep.
func doWork(ctx context.Context, t *arcprt.Task) error {
	var w work
	if err := json.Unmarshal(t.Input(), &w); err != nil {
		return err
	}
	run := newRun()
	for i := range w.Events {
		select {
		case <-time.After(time.Duration(w.GapMS) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := t.Emit(ctx, w.body(run, i)); err != nil {
			return err
		}
	}
	result, err := json.Marshal(w.outcome(run))
	if err != nil || w.Result < streamFrom {
		return errors.Join(err, t.SetResult(result))
	}
	out, err := t.ResultWriter(ctx, arcp.EncodingUTF8)
	if err != nil {
		return err
	}
	_, err = out.Write(result)
	return err
}

// provisioner mints at the gateway, if there is one.
func (o *own) provisioner() arcprt.Provisioner {
	if o.gateway == "" {
		return nil
	}
	l := &provision.LiteLLM{URL: o.gateway, Key: arcp.MakeSecret("master")}
	if o.leaves {
		return leaver{l}
	}
	return l
}

// leaver says that it revokes.
type leaver struct{ *provision.LiteLLM }

func (leaver) Revoke(context.Context, arcprt.CredentialRef) error { return nil }

// mint is the agent that has a credential, and rotates it.
func mint(ctx context.Context, t *arcprt.Task) error {
	creds := t.Credentials()
	if len(creds) == 0 {
		return errors.New("there is no credential")
	}
	c, err := t.RotateCredential(ctx, creds[0].ID)
	if err != nil {
		return err
	}
	_, err = t.CredentialFor(c.Endpoint + "/models")
	return err
}
