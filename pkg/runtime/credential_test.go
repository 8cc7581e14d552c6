package runtime_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// The submitter gets the value, the agent has it, and the upstream has what the lease says. The end waits for the revocation.
//
// guards H3
func TestCredentialLife(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, g *gateway) {
		expires := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
		p := l.join(t, l.a, "alice", forMints...)
		a := p.accepted(&arcp.JobSubmit{
			Agent:            "steps",
			LeaseRequest:     arcp.Lease{arcp.NamespaceCostBudget: {"USD:5.00"}, arcp.NamespaceModelUse: {"tier-fast/*"}},
			LeaseConstraints: &arcp.LeaseConstraints{ExpiresAt: expires},
		})
		live := g.Live()
		if len(live) != 1 || !slices.Equal(values(a.Credentials), []string{live[0].Value.Reveal()}) {
			t.Fatalf("the accepted has %d credentials, %d are good", len(a.Credentials), len(live))
		}
		c := a.Credentials[0]
		want := `{"cost.budget":["USD:5.00"],"expires_at":"` + expires.Format(time.RFC3339) + `","model.use":["tier-fast/*"]}`
		if c.Scheme != "bearer" || c.Endpoint != "https://gateway.invalid/v1" || string(c.Constraints) != want {
			t.Errorf("the credential is %s %s %s, want the constraints %s", c.Scheme, c.Endpoint, c.Constraints, want)
		}
		r := live[0].Request
		if r.JobID != a.JobID || r.Principal != "alice" || r.Agent != "steps@1.0.0" || r.Budget["USD"].String() != "5.00" || !r.Expires.Equal(expires) {
			t.Errorf("the provisioner was asked for %+v", r)
		}
		revoke := make(chan struct{})
		g.set(true, "revoke", func(context.Context) error { <-revoke; return nil })
		close(l.steps)
		synctest.Wait()
		if g.count("revoke") != 1 {
			t.Errorf("the agent has returned and %d revocations have begun, want 1", g.count("revoke"))
		}
		p.say("list", &arcp.SessionListJobs{})
		if e := hear(t, p.conn); e.Type != arcp.TypeSessionJobs || e.Payload.(*arcp.SessionJobs).Jobs[0].Status != arcp.StatusRunning {
			t.Errorf("before the revocation the client hears %s, want a list with a running job", e.Type)
		}
		close(revoke)
		p.want(`result "done"`)
		g.wantLive(t, "after the end", 0)
	})
}

// A revocation that does not come to an end delays that of the job by a bounded time, and is tried again until it succeeds.
//
// guards H3
func TestCredentialReaper(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, g *gateway) {
		p := l.join(t, l.a, "alice", forMints...)
		p.accepted(&arcp.JobSubmit{Agent: "steps"})
		g.set(true, "revoke", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		began := time.Now()
		close(l.steps)
		p.want(`result "done"`)
		if d := time.Since(began); d != arcp.LimitCredentialRevokeSec*time.Second {
			t.Errorf("the end came after %v, want %d s", d, arcp.LimitCredentialRevokeSec)
		}
		if s := l.a.Stats(); s.Unrevoked != 1 || s.Credentials != 0 {
			t.Errorf("%d are to be revoked and %d live, want 1 and none", s.Unrevoked, s.Credentials)
		}
		g.set(true, "revoke", func(context.Context) error { return errors.New("down") })
		time.Sleep(time.Hour)
		if s := l.a.Stats(); s.Unrevocable != 1 || s.Unrevoked != 0 {
			t.Errorf("after an hour %d are unrevocable, want 1", s.Unrevocable)
		}
		if n := g.count("revoke"); n < 8 || n > 20 {
			t.Errorf("it was tried %d times in an hour", n)
		}
		g.set(true, "revoke", nil)
		time.Sleep(11 * time.Minute)
		g.wantLive(t, "with the provisioner back", 0)
		if s := l.a.Stats(); s.Unrevocable+s.Unrevoked != 0 || s.Revoked != 1 {
			t.Errorf("%+v, want nothing left", s)
		}
	})
}

// rotating is an agent that rotates its credential at each step.
func rotating(l *lives, ids chan<- string) runtime.Agent {
	return runtime.Restartable(runtime.AgentFunc(func(ctx context.Context, task *runtime.Task) error {
		for {
			select {
			case _, ok := <-l.steps:
				if !ok {
					return nil
				}
				c, err := task.RotateCredential(ctx, task.Credentials()[0].ID)
				if err != nil {
					return err
				}
				ids <- c.Value.Reveal()
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}))
}

// A rotation revokes the old value and not the new one, which the submitter is told and an observer is not.
//
// guards A15
// guards H1
// guards H2
func TestCredentialRotation(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, g *gateway) {
		ids := make(chan string, 9)
		if err := l.a.Handle("rotating", rotating(l, ids)); err != nil {
			t.Fatal(err)
		}
		p, bob := l.join(t, l.a, "alice", forMints...), l.join(t, l.a, "bob", forMints...)
		a := p.accepted(&arcp.JobSubmit{Agent: "rotating"})
		bob.say("sub", &arcp.JobSubscribe{JobID: a.JobID})
		if s := hear(t, bob.conn).Payload.(*arcp.JobSubscribed); s.Credentials != nil {
			t.Error("an observer is shown credentials")
		}
		for range 2 {
			l.steps <- struct{}{}
			value := <-ids
			mine, his := p.rotation(), bob.rotation()
			if mine.ID != a.Credentials[0].ID || mine.Value.Reveal() != value || !his.Value.IsZero() || his.ID != mine.ID {
				t.Errorf("the submitter got %q of %q, want %q; the observer %q", mine.Value.Reveal(), mine.ID, value, his.Value.Reveal())
			}
			synctest.Wait()
			if live := g.Live(); len(live) != 1 || live[0].Value.Reveal() != value {
				t.Errorf("%d values are good after a rotation, want the new one", len(live))
			}
		}
		close(l.steps)
		p.want("result null")
		g.wantLive(t, "after the end", 0)
		if all := g.Values(); len(all) != 3 {
			t.Errorf("%d values were minted, want 3", len(all))
		}
	})
}

// A submitter that was away gets the current value, under the number its event has, and older ones without.
//
// guards H11
func TestCredentialRotationMissed(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, g *gateway) {
		ids := make(chan string, 9)
		if err := l.a.Handle("rotating", rotating(l, ids)); err != nil {
			t.Fatal(err)
		}
		p := l.join(t, l.a, "alice", forMints...)
		a := p.accepted(&arcp.JobSubmit{Agent: "rotating"})
		p.close()
		synctest.Wait()
		l.steps <- struct{}{}
		<-ids
		l.steps <- struct{}{}
		newest := <-ids
		p.resume(l.a, 0)
		again, ok := hear(t, p.conn).Payload.(*arcp.JobAccepted)
		if !ok || again.JobID != a.JobID || !slices.Equal(values(again.Credentials), []string{newest}) {
			t.Fatalf("the accepted that is sent again has not the current value")
		}
		if first := p.rotation(); !first.Value.IsZero() {
			t.Error("a rotation that is not the newest has a value")
		}
		if second := p.rotation(); second.Value.Reveal() != newest {
			t.Error("the newest rotation has not the current value")
		}
		close(l.steps)
		p.want("result null")
		p.close()
		synctest.Wait()
		p.resume(l.a, 0)
		if over, ok := hear(t, p.conn).Payload.(*arcp.JobAccepted); !ok || over.Credentials != nil {
			t.Error("the accepted that is sent again after the end has credentials")
		}
		for range 2 {
			if b := p.rotation(); !b.Value.IsZero() {
				t.Error("a rotation has a value once the job has ended")
			}
		}
		p.want("result null")
		g.wantLive(t, "in the end", 0)
	})
}

// Asked with the same key, and by a subscription, the submitter gets the live value, and after the end none.
//
// guards D6
func TestCredentialAskedAgain(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, _ *gateway) {
		p, q := l.join(t, l.a, "alice", forMints...), l.join(t, l.a, "alice", forMints...)
		j := &arcp.JobSubmit{Agent: "steps", IdempotencyKey: "k"}
		a := p.accepted(j)
		if again := q.accepted(j); !slices.Equal(values(again.Credentials), values(a.Credentials)) || again.JobID != a.JobID {
			t.Error("the accepted of the same key has not the same credentials")
		}
		p.say("sub", &arcp.JobSubscribe{JobID: a.JobID})
		if s := hear(t, p.conn).Payload.(*arcp.JobSubscribed); !slices.Equal(values(s.Credentials), values(a.Credentials)) {
			t.Error("the subscribed of the submitter has not the credentials")
		}
		plain := l.join(t, l.a, "alice", arcp.FeatureSubscribe)
		plain.say("sub", &arcp.JobSubscribe{JobID: a.JobID})
		if s := hear(t, plain.conn).Payload.(*arcp.JobSubscribed); s.Credentials != nil {
			t.Error("a session that has not agreed on credentials is shown some")
		}
		close(l.steps)
		p.want(`result "done"`)
		q.want(`result "done"`)
		if again := q.accepted(j); again.Credentials != nil {
			t.Error("the accepted after the end has credentials")
		}
		q.want(`result "done"`)
	})
}

// An Issue that comes too late is an error, and what it minted is revoked at once.
//
// guards H4
func TestCredentialLate(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, g *gateway) {
		late := make(chan struct{})
		g.set(false, "issue", func(context.Context) error { <-late; return nil })
		p := l.join(t, l.a, "alice", forMints...)
		began := time.Now()
		p.say("m1", &arcp.JobSubmit{Agent: "steps", IdempotencyKey: "k"})
		e := hear(t, p.conn)
		refusal, ok := e.Payload.(*arcp.SessionError)
		if !ok || refusal.Code != arcp.CodeInternalError || refusal.RequestID != "m1" || time.Since(began) != arcp.LimitCredentialIssueSec*time.Second {
			t.Fatalf("after %v: %s %+v, want INTERNAL_ERROR after %d s", time.Since(began), e.Type, e.Payload, arcp.LimitCredentialIssueSec)
		}
		g.wantLive(t, "while the provisioner is late", 1)
		if s := l.a.Stats(); s.Unrevoked != 1 {
			t.Errorf("%d are to be revoked, want 1", s.Unrevoked)
		}
		close(late)
		synctest.Wait()
		g.wantLive(t, "after the late answer", 0)
		g.set(false, "issue", nil)
		p.accepted(&arcp.JobSubmit{Agent: "steps", IdempotencyKey: "k"}) // the key was released
		close(l.steps)
		p.want(`result "done"`)
	})
}

// While a provisioner is slow the session's other messages are served, and submits are answered in their order.
//
// guards H9
func TestCredentialSlow(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, g *gateway) {
		slow := make(chan struct{})
		g.set(true, "issue", func(context.Context) error { <-slow; return nil })
		p := l.join(t, l.a, "alice", forMints...)
		p.say("m1", &arcp.JobSubmit{Agent: "echo"})
		p.say("m2", &arcp.JobSubmit{Agent: "nobody"})
		p.say("m3", &arcp.JobSubmit{Agent: "steps"})
		p.say("l1", &arcp.SessionListJobs{})
		p.want(string(arcp.TypeSessionJobs))
		close(slow)
		var order []string
		for len(order) < 3 {
			switch b := hear(t, p.conn).Payload.(type) {
			case *arcp.JobAccepted:
				order = append(order, b.RequestID)
			case *arcp.SessionError:
				order = append(order, b.RequestID)
			}
		}
		if !slices.Equal(order, []string{"m1", "m2", "m3"}) {
			t.Errorf("answered in the order %v", order)
		}
		close(l.steps)
	})
}

// Once a job is over nothing is rotated, and a rotation under way is undone.
//
// guards H6
func TestCredentialRotationTooLate(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, g *gateway) {
		under, tasks := make(chan struct{}), make(chan *runtime.Task, 1)
		g.set(false, "rotate", func(context.Context) error { <-under; return nil })
		errs := make(chan error, 2)
		if err := l.a.Handle("leaves", runtime.AgentFunc(func(ctx context.Context, task *runtime.Task) error {
			tasks <- task
			go func() {
				_, err := task.RotateCredential(context.WithoutCancel(ctx), task.Credentials()[0].ID)
				errs <- err
			}()
			time.Sleep(time.Second)
			return nil
		})); err != nil {
			t.Fatal(err)
		}
		p := l.join(t, l.a, "alice", forMints...)
		a := p.accepted(&arcp.JobSubmit{Agent: "leaves"})
		p.want("result null")
		close(under)
		if err := <-errs; !errors.Is(err, runtime.ErrJobOver) {
			t.Errorf("the rotation that the end overtook = %v", err)
		}
		synctest.Wait()
		g.wantLive(t, "after the end", 0)
		task := <-tasks
		if _, err := task.RotateCredential(t.Context(), a.Credentials[0].ID); !errors.Is(err, runtime.ErrJobOver) {
			t.Errorf("RotateCredential after the end = %v, want ErrJobOver", err)
		}
		if task.Credentials() != nil {
			t.Error("the agent has credentials after the end")
		}
	})
}
