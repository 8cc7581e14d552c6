// Command provisioned_credentials gives a job a key of its own for a paid service: bound to the job's budget, models and end, rotated
// while it runs, and revoked before the client hears of the end. The provisioner here is one for tests; provision.LiteLLM mints at a gateway.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/provision"
)

const gateway = "https://gateway.example.com/v1"

// ask is an agent that calls the service. The key is for that service alone: it is asked for by the URL it is to be sent to.
func (p *program) ask(ctx context.Context, t *arcprt.Task) error {
	c, err := t.CredentialFor(gateway + "/chat/completions")
	if err != nil {
		return err
	}
	if _, err := t.CredentialFor("https://gateway.example.com.evil.example/v1"); !errors.Is(err, arcp.CodePermissionDenied) {
		return errors.New("the key would go to a stranger")
	}
	next, err := t.RotateCredential(ctx, c.ID)
	if err != nil {
		return err
	}
	if next.Value.Equal(c.Value) {
		return errors.New("the value is the old one")
	}
	select {
	case <-p.told: // a value is shown to nobody any more once its job ends
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return t.SetResult(arcp.RawJSON(`"asked"`))
}

// program is what the two sides of the example share.
type program struct{ told chan struct{} }

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	keys := &provision.Memory{Endpoint: gateway, Profile: "openai"}
	o := &arcprt.Options{
		AllowAnyone: true, Provisioner: keys,
		ForgetfulProvisioner: true, // this store survives nothing: a killed program would leave its keys behind
	}
	p := &program{make(chan struct{})}
	_, dialer, stop, err := local.Start(ctx, o, map[string]arcprt.Agent{"ask": arcprt.AgentFunc(p.ask)})
	if err != nil {
		return err
	}
	defer stop()
	// Who wants to see credentials asks for the feature; no client does by default.
	session, err := client.Connect(ctx, dialer, &client.Options{Features: arcp.Features()})
	if err != nil {
		return err
	}
	defer func() { _ = session.Close(context.WithoutCancel(ctx)) }()
	job, err := session.Submit(ctx, &arcp.JobSubmit{
		Agent: "ask", LeaseRequest: arcp.Lease{arcp.NamespaceCostBudget: {"USD:5.00"}, arcp.NamespaceModelUse: {"tier-fast/*"}},
	})
	if err != nil {
		return err
	}
	for ev, err := range job.Events(ctx) {
		if err != nil {
			return err
		}
		if b, ok := ev.Body.(*arcp.StatusBody); ok {
			fmt.Fprintf(w, "event: %s, a value of %d letters that prints as %s\n", b.Phase, len(b.Value.Reveal()), b.Value)
			close(p.told)
		}
	}
	result, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "result: %s\n", result.Result)
	for _, v := range keys.Values() {
		fmt.Fprintf(w, "key for %s with %s: revoked %v\n", v.Request.Agent, v.Request.Budget.Entries(), v.Revoked)
	}
	return nil
}
