// Command stream_resume reads a long answer while it is being written, over a connection that is lost in the middle. The session goes
// on over the next one, where it left off: no piece comes twice, and none is missing.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// lines is how long the answer is, and half where its writer waits until it may go on.
const (
	lines = 5000
	half  = lines / 2
)

// writer tells what it knows line by line, as a model does token by token. What it writes leaves in chunks.
type writer struct{ goOn chan struct{} }

func (a writer) Run(ctx context.Context, t *arcprt.Task) error {
	out, err := t.ResultWriter(ctx, arcp.EncodingUTF8)
	if err != nil {
		return err
	}
	for n := range lines {
		if n == half {
			<-a.goOn
		}
		if _, err := fmt.Fprintf(out, "%d: what there is to say about this\n", n); err != nil {
			return err
		}
	}
	return out.Close()
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	agent := writer{goOn: make(chan struct{})}
	limits := arcprt.Limits{ChunkBytes: 4 << 10}
	_, dialer, stop, err := local.Start(ctx, &arcprt.Options{AllowAnyone: true, Limits: limits}, map[string]arcprt.Agent{"write": agent})
	if err != nil {
		return err
	}
	defer stop()
	network := &local.Network{Dialer: dialer}
	session, err := client.Connect(ctx, network, nil)
	if err != nil {
		return err
	}
	defer session.Close(ctx)
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "write"})
	if err != nil {
		return err
	}
	answer, err := job.ResultReader(ctx)
	if err != nil {
		return err
	}
	defer answer.Close()
	read := 0
	for text := bufio.NewScanner(answer); text.Scan(); read++ {
		if want := fmt.Sprintf("%d: what there is to say about this", read); text.Text() != want {
			return fmt.Errorf("line %d is %q", read, text.Text())
		}
		if read == half/2 {
			fmt.Fprintf(w, "connection %d is cut\n", network.Dials())
			network.Cut()
			close(agent.goOn) // the agent has noticed nothing
		}
	}
	result, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d lines, %d bytes over %d connections\n", read, *result.ResultSize, network.Dials())
	return nil
}
