// Command agent_versions offers one agent in two versions. A job may name a version; a bare name means the default.
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

// greet returns an agent that greets with one word.
func greet(word string) arcprt.Agent {
	return arcprt.Func(func(_ context.Context, t *arcprt.Task, name string) (string, error) {
		return word + ", " + name + " (" + t.Agent() + ")", nil
	})
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	session, stop, err := local.Connect(ctx, map[string]arcprt.Agent{
		"greet@1.9.0":  greet("Good day"),
		"greet@1.10.0": greet("Hello"), // the highest by SemVer, so the default; see also Runtime.SetDefault
	})
	if err != nil {
		return err
	}
	defer stop()
	for _, a := range session.Agents() {
		fmt.Fprintf(w, "%s: %d versions, default %s\n", a.Name, len(a.Versions), a.Default)
	}
	for _, ref := range []string{"greet", "greet@1.9.0", "greet@3.0.0"} {
		job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: ref, Input: arcp.RawJSON(`"Ada"`)})
		var refused *arcp.Error
		if errors.As(err, &refused) {
			fmt.Fprintf(w, "%s: %s %s\n", ref, refused.Code, refused.Details)
			continue
		}
		if err != nil {
			return err
		}
		result, err := job.Result(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: %s\n", ref, result.Result)
	}
	return nil
}
