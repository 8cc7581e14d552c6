// Command result_chunk streams a result that is too large for one message. The agent has an io.Writer, the client an
// io.Reader; neither holds the whole.
package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// squares writes a table. What is not text is written with arcp.EncodingBase64.
func squares(ctx context.Context, t *arcprt.Task) error {
	stream, err := t.ResultWriter(ctx, arcp.EncodingUTF8)
	if err != nil {
		return err
	}
	table := csv.NewWriter(stream)
	for n := range 100_000 {
		if err := table.Write([]string{strconv.Itoa(n), strconv.Itoa(n * n)}); err != nil {
			return err
		}
	}
	table.Flush()
	if err := table.Error(); err != nil {
		return err
	}
	return stream.Close()
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	session, stop, err := local.Connect(ctx, map[string]arcprt.Agent{"squares": arcprt.AgentFunc(squares)})
	if err != nil {
		return err
	}
	defer stop()
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "squares"})
	if err != nil {
		return err
	}
	stream, err := job.ResultReader(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	var lines int
	var last string
	table := bufio.NewScanner(stream)
	for table.Scan() {
		lines, last = lines+1, table.Text()
	}
	// The reader ends well only when the job succeeded and every chunk has come, in order.
	if err := table.Err(); err != nil {
		return err
	}
	result, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d lines, the last one %s\n%d bytes\n", lines, last, *result.ResultSize)
	return nil
}
