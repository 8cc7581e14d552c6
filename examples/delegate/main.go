// Command delegate has an agent that lets another one do a part of its work, with a part of its rights, and a client that looks at
// both.
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

// editor lets a reader look into one folder. It may not give away what it does not hold itself, as the refusal shows.
func editor(ctx context.Context, t *arcprt.Task, folder string) (string, error) {
	_, err := t.Delegate(ctx, &arcprt.Delegation{Agent: "reader", Lease: arcp.Lease{arcp.NamespaceFSRead: {"/**"}}})
	if arcp.CodeOf(err) != arcp.CodeLeaseSubsetViolation {
		return "", fmt.Errorf("an editor was allowed too much: %w", err)
	}
	child, err := t.Delegate(ctx, &arcprt.Delegation{
		Agent: "reader", Input: arcp.RawJSON(`"` + folder + `"`), Lease: arcp.Lease{arcp.NamespaceFSRead: {folder + "/*"}},
	})
	if err != nil {
		return "", err
	}
	found, err := child.Result(ctx) // without this the child would end with its parent
	return "read: " + string(found), err
}

// reader asks before it reads.
func reader(ctx context.Context, t *arcprt.Task, folder string) ([]string, error) {
	var may []string
	for _, file := range []string{folder + "/draft.md", "/books/secret.md"} {
		if t.Authorize(ctx, arcp.NamespaceFSRead, file) == nil {
			may = append(may, file)
		}
	}
	return may, nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	session, stop, err := local.Connect(ctx, map[string]arcprt.Agent{"editor": arcprt.Func(editor), "reader": arcprt.Func(reader)})
	if err != nil {
		return err
	}
	defer stop()
	job, err := session.Submit(ctx, &arcp.JobSubmit{
		Agent: "editor", Input: arcp.RawJSON(`"/books/one"`),
		LeaseRequest: arcp.Lease{arcp.NamespaceFSRead: {"/books/**"}, arcp.NamespaceAgentDelegate: {"reader"}},
	})
	if err != nil {
		return err
	}
	for ev, err := range job.Events(ctx) {
		if err != nil {
			return err
		}
		switch b := ev.Body.(type) {
		case *arcp.ToolResultBody:
			if b.Error != nil {
				fmt.Fprintf(w, "refused: %s\n", b.Error.Code)
			} else {
				fmt.Fprintln(w, "the child has ended")
			}
		case *arcp.DelegateBody:
			fmt.Fprintf(w, "delegated to %s with %v\n", b.Agent, b.Lease)
		}
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
		fmt.Fprintf(w, "%s: %s, delegated: %v\n", j.Agent, j.Status, j.ParentJobID == job.ID())
	}
	return nil
}
