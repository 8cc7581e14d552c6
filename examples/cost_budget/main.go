// Command cost_budget gives a job money. Each call says what it cost; when the money is gone the next one is refused, and the
// agent makes do with what it has.
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
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// research asks an expensive service, as often as its budget allows.
func research(ctx context.Context, t *arcprt.Task, questions []string) (string, error) {
	price, err := arcp.ParseBudgets([]string{"USD:0.40"}) // the most that one answer can cost
	if err != nil {
		return "", err
	}
	for i := range questions {
		hold, err := t.Reserve(ctx, "cost.search", price)
		if errors.Is(err, arcp.CodeBudgetExhausted) {
			return fmt.Sprintf("%d of %d answered", i, len(questions)), nil
		}
		if err != nil {
			return "", err
		}
		cost, err := arcp.ParseBudgets([]string{"USD:0.35"}) // what the service has charged
		if err != nil {
			return "", err
		}
		if err := hold.Settle(ctx, cost); err != nil {
			return "", err
		}
	}
	return "all answered", nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	session, stop, err := local.Connect(ctx, map[string]arcprt.Agent{"research": arcprt.Func(research)})
	if err != nil {
		return err
	}
	defer stop()
	job, err := session.Submit(ctx, &arcp.JobSubmit{
		Agent: "research", Input: arcp.RawJSON(`["who","where","why"]`),
		LeaseRequest: arcp.Lease{arcp.NamespaceCostBudget: {"USD:1.00"}},
	})
	if err != nil {
		return err
	}
	for ev, err := range job.Events(ctx) {
		if err != nil {
			return err
		}
		switch b := ev.Body.(type) {
		case *arcp.MetricBody:
			fmt.Fprintln(w, b.Name, b.Value, b.Unit)
		case *arcp.ToolResultBody:
			fmt.Fprintln(w, "refused:", b.Error.Code)
		}
	}
	res, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s\n", res.Result)
	return nil
}
