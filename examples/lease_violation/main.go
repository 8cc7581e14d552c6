// Command lease_violation lets an agent try what it may not: open a file beside its folder, and one that a link leads to. Each refusal stands
// in the job's log, and the agent goes on.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// read opens files through its task, which asks the lease about where a path really leads.
func read(ctx context.Context, t *arcprt.Task, names []string) (map[string]string, error) {
	texts := map[string]string{}
	for _, name := range names {
		text, err := t.ReadFile(ctx, name)
		if err != nil {
			continue // it makes do without
		}
		texts[name] = string(text)
	}
	return texts, nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// folder makes a folder of files with a secret beside those that are to be read.
func folder() (string, error) {
	root, err := os.MkdirTemp("", "lease_violation")
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(filepath.Join(root, "notes"), 0o700); err != nil {
		return "", err
	}
	for name, text := range map[string]string{"notes/today": "hello", "secret": "a key"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	return root, os.Symlink("../secret", filepath.Join(root, "notes/link"))
}

func run(ctx context.Context, w io.Writer) error {
	root, err := folder()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(root) }()
	session, _, stop, err := local.Start(ctx, &arcprt.Options{AllowAnyone: true, FileRoot: root}, map[string]arcprt.Agent{"read": arcprt.Func(read)})
	if err != nil {
		return err
	}
	defer stop()
	job, err := session.Submit(ctx, &arcp.JobSubmit{
		Agent: "read", Input: arcp.RawJSON(`["/notes/today","/secret","/notes/../secret","/notes/link"]`),
		LeaseRequest: arcp.Lease{arcp.NamespaceFSRead: {"/notes/**"}},
	})
	if err != nil {
		return err
	}
	for ev, err := range job.Events(ctx) {
		if err != nil {
			return err
		}
		if b, ok := ev.Body.(*arcp.ToolResultBody); ok {
			fmt.Fprintln(w, b.Error.Message)
		}
	}
	res, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s\n", res.Result)
	return nil
}
