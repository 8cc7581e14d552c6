// Command submit_and_stream is the whole of ARCP in one file: a runtime with an agent, a client that submits a job over a
// real WebSocket, follows its events and takes its result.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// counts is what the agent finds out.
type counts struct {
	Words   int    `json:"words"`
	Longest string `json:"longest"`
}

// count is the agent: a Go function from a Go value to a Go value.
func count(ctx context.Context, t *arcprt.Task, text string) (counts, error) {
	var c counts
	for _, word := range strings.Fields(text) {
		c.Words++
		if len(word) > len(c.Longest) {
			c.Longest = word
			if err := t.Log(ctx, arcp.LevelInfo, "a longer word: "+word, nil); err != nil {
				return c, err
			}
		}
	}
	return c, t.Metric(ctx, "words", arcp.Number(fmt.Sprint(c.Words)), "")
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	// The runtime. It lets anyone on this machine in; see custom_auth for tokens.
	rt, err := arcprt.New(&arcprt.Options{AllowAnyone: true})
	if err != nil {
		return err
	}
	defer rt.Shutdown(ctx)
	if err := rt.Handle("count", arcprt.Func(count)); err != nil {
		return err
	}
	ln, err := ws.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(arcp.DefaultPath, ws.Handler(&ws.Options{Subprotocol: arcp.Subprotocol}, func(ctx context.Context, c transport.Conn) {
		if err := rt.Serve(ctx, c); err != nil {
			log.Print(err)
		}
	}))
	serving, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		if err := ws.Serve(serving, ln, mux, nil); err != nil {
			log.Print(err)
		}
	}()

	// The client.
	url := "ws://" + ln.Addr().String() + arcp.DefaultPath
	session, err := client.Connect(ctx, &ws.Dialer{URL: url, Subprotocol: arcp.Subprotocol}, nil)
	if err != nil {
		return err
	}
	defer session.Close(ctx)
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "count", Input: arcp.RawJSON(`"one job at a time streams events"`)})
	if err != nil {
		return err
	}
	for ev, err := range job.Events(ctx) {
		if err != nil {
			return err
		}
		switch body := ev.Body.(type) {
		case *arcp.LogBody:
			fmt.Fprintf(w, "%d %s: %s\n", ev.Seq, ev.Kind, body.Message)
		case *arcp.MetricBody:
			fmt.Fprintf(w, "%d %s: %s = %s\n", ev.Seq, ev.Kind, body.Name, body.Value)
		}
	}
	result, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s %s\n", result.FinalStatus, result.Result)
	return nil
}
