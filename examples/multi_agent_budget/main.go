// Command multi_agent_budget has a planner that splits fifty cents among workers. What a worker is given is the planner's no more,
// so all of them together cannot spend what there is not; what a worker leaves comes back.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// question is one piece of the work: what it may cost, and what it is going to.
type question struct {
	Text  string `json:"text"`
	Limit string `json:"limit"`
	Price string `json:"price"`
}

// plan asks all questions at once that the budget allows, and those that are left when the rest has come back.
func plan(ctx context.Context, t *arcprt.Task, questions []question) ([]arcp.RawJSON, error) {
	var answers []arcp.RawJSON
	for len(questions) > 0 {
		var asked []*arcprt.Child
		var later []question
		for _, q := range questions {
			child, err := ask(ctx, t, q)
			switch {
			case err == nil:
				asked = append(asked, child)
			case arcp.CodeOf(err) == arcp.CodeLeaseSubsetViolation:
				later = append(later, q)
			default:
				return nil, err
			}
		}
		if len(asked) == 0 {
			return append(answers, arcp.RawJSON(fmt.Sprintf(`"%d not asked"`, len(later)))), nil
		}
		for _, child := range asked {
			answer, err := child.Result(ctx)
			if err != nil {
				return nil, err
			}
			answers = append(answers, answer)
		}
		questions = later
	}
	return answers, nil
}

func ask(ctx context.Context, t *arcprt.Task, q question) (*arcprt.Child, error) {
	input := fmt.Sprintf(`{"text":%q,"price":%q}`, q.Text, q.Price)
	return t.Delegate(ctx, &arcprt.Delegation{
		Agent: "worker", Input: arcp.RawJSON(input), Lease: arcp.Lease{arcp.NamespaceCostBudget: {"USD:" + q.Limit}},
	})
}

// work sets its price aside before it asks a model, so that it never finds out afterwards that there was not as much.
func work(ctx context.Context, t *arcprt.Task, q question) (string, error) {
	price, err := arcp.ParseBudgets([]string{"USD:" + q.Price})
	if err != nil {
		return "", err
	}
	hold, err := t.Reserve(ctx, "cost.inference", price)
	if err != nil {
		return q.Text + " costs too much", nil
	}
	// Here a model would be called.
	return q.Text + " is answered", hold.Settle(ctx, price)
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	session, stop, err := local.Connect(ctx, map[string]arcprt.Agent{"planner": arcprt.Func(plan), "worker": arcprt.Func(work)})
	if err != nil {
		return err
	}
	defer stop()
	job, err := session.Submit(ctx, &arcp.JobSubmit{
		Agent: "planner",
		Input: arcp.RawJSON(`[
			{"text": "who", "limit": "0.20", "price": "0.05"}, {"text": "what", "limit": "0.20", "price": "0.25"},
			{"text": "when", "limit": "0.30", "price": "0.30"}, {"text": "why", "limit": "0.40", "price": "0.40"}
		]`),
		LeaseRequest: arcp.Lease{arcp.NamespaceCostBudget: {"USD:0.50"}, arcp.NamespaceAgentDelegate: {"worker"}},
	})
	if err != nil {
		return err
	}
	result, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s\n", result.Result)
	for j, err := range session.Jobs(ctx, nil) {
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s of %s: %s left\n", j.Agent, j.Lease[arcp.NamespaceCostBudget], j.Budget["USD"])
	}
	return nil
}
