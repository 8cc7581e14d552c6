package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// What a provisioner hears of models is what the gate allows: none where none is named, unless jobs without may use any.
//
// guards F1
// guards H10
func TestCredentialModels(t *testing.T) {
	for _, c := range []struct {
		name      string
		anyModel  bool
		lease     arcp.Lease
		any, none bool
	}{
		{"named", false, arcp.Lease{arcp.NamespaceModelUse: {"tier-fast/*"}}, false, false},
		{"not named", false, nil, false, true},
		{"none named", true, arcp.Lease{arcp.NamespaceModelUse: {}}, false, true},
		{"not named, and any then", true, nil, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			onMints(t, func(t *testing.T, l *lives, g *gateway) {
				l.a.stop(t)
				more := l.more
				l.more = func(o *runtime.Options) { more(o); o.AnyModel = c.anyModel }
				l.begin(t)
				p := l.join(t, l.a, "alice", forMints...)
				p.accepted(&arcp.JobSubmit{Agent: "steps", LeaseRequest: c.lease})
				models := g.Live()[0].Request.Models
				if (models == nil) != c.any || (models != nil && len(models) == 0) != c.none {
					t.Errorf("the provisioner hears of the models %#v", models)
				}
				close(l.steps)
				p.want(`result "done"`)
			})
		})
	}
}

// Nothing is rotated for a job that may do nothing any more, and what a provisioner says of a failure has no value in it.
//
// guards H1
func TestCredentialRotationRefused(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, g *gateway) {
		errs := make(chan error, 3)
		g.set(false, "rotate", func(context.Context) error {
			return arcp.NewError(arcp.CodePermissionDenied, "the key %s is in use", g.Live()[0].Value.Reveal())
		})
		if err := l.a.Handle("rotates", runtime.AgentFunc(func(ctx context.Context, task *runtime.Task) error {
			id := task.Credentials()[0].ID
			rotate := func(ctx context.Context) {
				_, err := task.RotateCredential(ctx, id)
				errs <- err
			}
			rotate(ctx)
			_ = task.Emit(ctx, &arcp.MetricBody{Name: "cost.all", Value: "5", Unit: "USD"})
			rotate(ctx)
			<-ctx.Done() // the lease ends
			rotate(context.WithoutCancel(ctx))
			return nil
		})); err != nil {
			t.Fatal(err)
		}
		p := l.join(t, l.a, "alice", forMints...)
		a := p.accepted(&arcp.JobSubmit{
			Agent: "rotates", LeaseRequest: arcp.Lease{arcp.NamespaceCostBudget: {"USD:5"}},
			LeaseConstraints: &arcp.LeaseConstraints{ExpiresAt: time.Now().Add(time.Hour).UTC().Truncate(time.Second)},
		})
		err := <-errs
		if err == nil || strings.Contains(err.Error(), a.Credentials[0].Value.Reveal()) {
			t.Errorf("a rotation that failed = %v, want an error without the value", err)
		}
		for _, want := range []arcp.ErrorCode{arcp.CodeBudgetExhausted, arcp.CodeLeaseExpired} {
			if err := <-errs; arcp.CodeOf(err) != want {
				t.Errorf("RotateCredential = %v, want %s", err, want)
			}
		}
		if n := g.count("rotate"); n != 1 {
			t.Errorf("the provisioner was asked %d times, want once", n)
		}
	})
}

// A service that repeats a key in what it says of a failure does not bring it into logs, spans and events by way of the agent's error.
//
// guards H1
func TestCredentialInAnError(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, g *gateway) {
		l.a.stop(t)
		logs, ends := &sink{}, make(chan string, 9)
		more := l.more
		l.more = func(o *runtime.Options) {
			more(o)
			o.Logger = slog.New(slog.NewTextHandler(logs, nil))
			o.Spans = func(ctx context.Context, _ string, _ ...slog.Attr) (context.Context, func(error, ...slog.Attr)) {
				return ctx, func(err error, _ ...slog.Attr) { ends <- fmt.Sprint(err) }
			}
		}
		l.begin(t)
		said := func(task *runtime.Task) string { return "bad key " + task.Credentials()[0].Value.Reveal() }
		tool := func(_ context.Context, task *runtime.Task, _ arcp.RawJSON) (arcp.RawJSON, error) {
			return nil, arcp.NewError(arcp.CodePermissionDenied, "%s", said(task))
		}
		if err := l.a.HandleTool("ask", tool); err != nil {
			t.Fatal(err)
		}
		p := l.join(t, l.a, "alice", forMints...)
		for name, agent := range map[string]runtime.AgentFunc{
			"panics": func(_ context.Context, task *runtime.Task) error { panic(said(task)) },
			"fails":  func(_ context.Context, task *runtime.Task) error { return errors.New(said(task)) },
			"refuses": func(_ context.Context, task *runtime.Task) error {
				return arcp.NewError(arcp.CodePermissionDenied, "%s", said(task))
			},
			"calls": func(ctx context.Context, task *runtime.Task) error {
				_, err := task.Call(ctx, "ask", nil)
				return err
			},
		} {
			if err := l.a.Handle(name, agent); err != nil {
				t.Fatal(err)
			}
			value := p.accepted(&arcp.JobSubmit{Agent: name, LeaseRequest: arcp.Lease{arcp.NamespaceToolCall: {"ask"}}}).Credentials[0].Value.Reveal()
			texts := []string{}
			for over := false; !over; {
				e := hear(t, p.conn)
				text, err := e.AppendJSON(nil)
				if err != nil {
					t.Fatal(err)
				}
				texts, over = append(texts, string(text)), e.Type == arcp.TypeJobError
			}
			texts = append(texts, logs.String(), <-ends)
			for _, text := range texts {
				if strings.Contains(text, value) {
					t.Errorf("%s: the value is in %.300s", name, text)
				}
			}
		}
	})
}

// A provisioner that finds nothing left of the budget is believed: asking again would change nothing.
func TestCredentialWithoutMoney(t *testing.T) {
	onMints(t, func(t *testing.T, l *lives, g *gateway) {
		g.set(true, "issue", func(context.Context) error { return arcp.NewError(arcp.CodeBudgetExhausted, "nothing is left") })
		p := l.join(t, l.a, "alice", forMints...)
		p.say("m", &arcp.JobSubmit{Agent: "steps", LeaseRequest: arcp.Lease{arcp.NamespaceCostBudget: {"USD:0"}}})
		if e, ok := hear(t, p.conn).Payload.(*arcp.SessionError); !ok || e.Code != arcp.CodeBudgetExhausted || e.Retryable {
			t.Errorf("refused with %+v, want BUDGET_EXHAUSTED, not to be tried again", e)
		}
	})
}
