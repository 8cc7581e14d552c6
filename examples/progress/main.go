// Command progress has an agent that says how far it has come, and a client that shows it.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// digest adds up the SHA-256 of many blocks, and reports after each of them.
func digest(ctx context.Context, t *arcprt.Task, blocks int) (string, error) {
	sum := sha256.New()
	for n := range blocks {
		fmt.Fprintf(sum, "block %d", n)
		// A total of 0 would mean that the end is not known.
		if err := t.Progress(ctx, float64(n+1), float64(blocks), "blocks", ""); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:4]), nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	session, stop, err := local.Connect(ctx, map[string]arcprt.Agent{"digest": arcprt.Func(digest)})
	if err != nil {
		return err
	}
	defer stop()
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "digest", Input: arcp.RawJSON("4")})
	if err != nil {
		return err
	}
	for ev, err := range job.Events(ctx) {
		if err != nil {
			return err
		}
		if p, ok := ev.Body.(*arcp.ProgressBody); ok {
			done := int(10 * p.Current / p.Total)
			bar := strings.Repeat("#", done) + strings.Repeat(".", 10-done)
			fmt.Fprintf(w, "[%s] %v of %v %s\n", bar, p.Current, p.Total, p.Units)
		}
	}
	result, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s\n", result.Result)
	return nil
}
