package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport"
)

// What a killed runtime had minted is revoked by the next one before that serves anybody, wherever the kill came.
//
// guards H7
// guards H8
func TestCredentialKilled(t *testing.T) {
	for _, at := range []string{"before issue", "after issue", "running", "before rotate", "after rotate", "rotated", "before revoke", "after revoke"} {
		t.Run(at, func(t *testing.T) {
			onMints(t, func(t *testing.T, l *lives, g *gateway) {
				ids := make(chan string, 9)
				if err := l.a.Handle("rotating", rotating(l, ids)); err != nil {
					t.Fatal(err)
				}
				var when, step string
				never := make(chan struct{})
				defer close(never)
				stuck := func(context.Context) error { <-never; return errors.New("killed") }
				if n, _ := fmt.Sscan(at, &when, &step); n == 2 {
					g.set(when == "before", step, stuck)
				}
				p := l.join(t, l.a, "alice", forMints...)
				p.say("m1", &arcp.JobSubmit{Agent: "rotating"})
				synctest.Wait()
				if step != "issue" {
					if at != "running" {
						l.steps <- struct{}{}
						synctest.Wait()
					}
				}
				g.set(when == "before", step, nil)
				if err := l.lostNode(t, g); err != nil {
					t.Fatal(err)
				}
				g.wantLive(t, "after the next start", 0)
				if s := l.a.Stats(); s.Credentials != 0 || s.Unrevocable != 0 {
					t.Errorf("after the next start %+v", s)
				}
				time.Sleep(time.Minute)
				if s := l.a.Stats(); s.Unrevoked != 0 {
					t.Errorf("%d are still to be revoked", s.Unrevoked)
				}
			})
		})
	}
}

// lostNode kills the runtime and starts the next one.
func (l *lives) lostNode(t *testing.T, g *gateway) error {
	t.Helper()
	g.born() // it makes no more calls
	l.die(t)
	l.begin(t)
	return l.a.Start(t.Context())
}

// A job that runs again gets new values for the credentials it had, and its submitter is told.
func TestCredentialRunsAgain(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, g *gateway) {
		p := l.join(t, l.a, "alice", forMints...)
		a := p.accepted(&arcp.JobSubmit{Agent: "again"})
		old := g.Live()[0].Value
		if err := l.lostNode(t, g); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		live := g.Live()
		if len(live) != 1 || live[0].Value.Equal(old) {
			t.Fatalf("%d values are good, want a new one", len(live))
		}
		p.resume(l.a, 0)
		again, ok := hear(t, p.conn).Payload.(*arcp.JobAccepted)
		if !ok || !slices.Equal(values(again.Credentials), []string{live[0].Value.Reveal()}) || again.Credentials[0].ID != a.Credentials[0].ID {
			t.Fatal("the accepted has not the new value under the old id")
		}
		p.want(`restarted {"attempt":2}`)
		if b := p.rotation(); b.ID != a.Credentials[0].ID || !b.Value.Equal(live[0].Value) {
			t.Error("the submitter was not told of the new value")
		}
		close(l.steps)
		p.want(`result "done"`)
		g.wantLive(t, "in the end", 0)
	})
}

// A runtime that stops has revoked what its jobs had, also of those that the next one runs again.
//
// guards H5
func TestCredentialShutdown(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, g *gateway) {
		p := l.join(t, l.a, "alice", forMints...)
		p.accepted(&arcp.JobSubmit{Agent: "again"})
		p.accepted(&arcp.JobSubmit{Agent: "steps"})
		g.wantLive(t, "before the stop", 2)
		l.a.stop(t)
		g.wantLive(t, "after the stop", 0)
		l.begin(t)
		if err := l.a.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		g.wantLive(t, "with one job running again", 1)
	})
}

// The feature is offered where it can be kept only, and other features do not depend on it.
//
// guards H10
func TestCredentialOffered(t *testing.T) {
	offered := func(t *testing.T, l *lives, wrap func(transport.Conn) transport.Conn) (all []arcp.Feature) {
		t.Helper()
		ours, theirs := transport.Pipe()
		l.served.Go(func() { _ = l.a.Serve(context.Background(), wrap(ours)) })
		l.conns = append(l.conns, theirs)
		say(t, theirs, &arcp.Envelope{ID: "h", Payload: &arcp.SessionHello{
			Client: arcp.Software{Name: "test"}, Auth: arcp.Auth{Token: arcp.MakeSecret("alice")}, Capabilities: &arcp.ClientCapabilities{Features: forMints},
		}})
		return hear(t, theirs).Payload.(*arcp.SessionWelcome).Capabilities.Features
	}
	plain := func(c transport.Conn) transport.Conn { return c }
	for name, change := range map[string]func(*lives, *runtime.Options){
		"with all that it needs":    func(*lives, *runtime.Options) {},
		"no provisioner":            func(_ *lives, o *runtime.Options) { o.Provisioner = nil },
		"a store that forgets":      func(l *lives, _ *runtime.Options) { l.store.level = store.Volatile },
		"told that it is a test":    func(l *lives, o *runtime.Options) { l.store.level, o.ForgetfulProvisioner = store.Volatile, true },
		"a link that is not secure": func(*lives, *runtime.Options) {},
	} {
		t.Run(name, func(t *testing.T) {
			onMints(t, func(t *testing.T, l *lives, _ *gateway) {
				l.a.stop(t)
				more := l.more
				l.more = func(o *runtime.Options) { more(o); change(l, o) }
				l.begin(t)
				wrap, want := plain, name == "with all that it needs" || name == "told that it is a test"
				if name == "a link that is not secure" {
					wrap = func(c transport.Conn) transport.Conn { return open{c} }
				}
				got := offered(t, l, wrap)
				if slices.Contains(got, arcp.FeatureProvisionedCredentials) != want || !slices.Contains(got, arcp.FeatureModelUse) {
					t.Errorf("offered are %v", got)
				}
			})
		})
	}
}
