// Command vendor_extensions adds to the protocol without leaving it: an event kind and a lease namespace of its own. Peers
// that do not know them pass them on.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// The names begin with x-vendor. and the vendor's own.
const (
	kindRow  = arcp.EventKind(arcp.VendorPrefix + "acme.row")
	mayQuery = arcp.VendorPrefix + "acme.query"
)

// row is the body of the event; it must encode as a JSON object.
type row struct {
	Table string `json:"table"`
	Key   int    `json:"key"`
}

// query asks for permission before it looks into a table. What the job's lease does not name is denied.
func query(ctx context.Context, t *arcprt.Task, table string) (int, error) {
	if err := t.Authorize(ctx, mayQuery, table); err != nil {
		return 0, err
	}
	for key := range 2 {
		body, err := json.Marshal(row{Table: table, Key: key})
		if err != nil {
			return 0, err
		}
		if err := t.Emit(ctx, &arcp.UnknownBody{Kind: kindRow, Raw: body}); err != nil {
			return 0, err
		}
	}
	return 2, nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	session, stop, err := local.Connect(ctx, map[string]arcprt.Agent{"query": arcprt.Func(query)})
	if err != nil {
		return err
	}
	defer stop()
	for _, table := range []string{"sales/2026", "salaries"} {
		input, err := json.Marshal(table)
		if err != nil {
			return err
		}
		job, err := session.Submit(ctx, &arcp.JobSubmit{
			Agent: "query", Input: input, LeaseRequest: arcp.Lease{mayQuery: {"sales/*"}},
		})
		if err != nil {
			return err
		}
		for ev, err := range job.Events(ctx) {
			if err != nil {
				return err
			}
			if body, ok := ev.Body.(*arcp.UnknownBody); ok && ev.Kind == kindRow {
				fmt.Fprintf(w, "%s %s\n", ev.Kind, body.Raw)
			}
		}
		if _, err := job.Result(ctx); err != nil {
			fmt.Fprintln(w, err)
		}
	}
	return nil
}
