package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/arcpkit/arcp/cmd/arcp/internal/survey"
	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// demoChunk makes the report of an ordinary folder more than one chunk, in bytes.
const demoChunk = 2 << 10

func newDemo(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "demo [FOLDER]",
		Short: "Watch a real job run over a real connection",
		Long: "demo starts a runtime on a free port of this machine, connects to it over WebSocket, submits a job that surveys\n" +
			"FOLDER, the current one by default, and shows it to its end. It writes nothing to disk.",
		Args: arguments(0, 1),
		RunE: action(func(ctx context.Context, args []string) error {
			folder := "."
			if len(args) == 1 {
				folder = args[0]
			}
			return demo(ctx, s, folder)
		}),
	}
}

func demo(ctx context.Context, s streams, folder string) error {
	agent, err := survey.New(folder)
	if err != nil {
		return usagef("%w", err)
	}
	token := arcp.NewToken()
	url, stop, err := demoRuntime(ctx, agent, token)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprint(s.err, eventLine("runtime", url))
	session, err := client.Connect(ctx, &ws.Dialer{URL: url, Subprotocol: arcp.Subprotocol}, &client.Options{
		Name: "arcp demo", Version: version(), Scheme: arcp.SchemeBearer, Token: token.Reveal(),
		Reconnect: &client.Reconnect{Off: true}, // it lives in this process
	})
	if err != nil {
		return err
	}
	defer hangUp(session)
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "survey", LeaseRequest: demoLease(agent.Root())})
	if err != nil {
		return err
	}
	v := newView(s.err)
	ctx, done := cancelOnInterrupt(ctx, job, v.note, false)
	defer done()
	var result bytes.Buffer
	seen, err := follow(ctx, job, v, &result)
	if err != nil {
		return err
	}
	if err := showReport(s.out, result.Bytes()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "demo: ok job=%s events=%d result_bytes=%d\n", job.ID(), seen.events, seen.bytes)
	return err
}

// demoRuntime serves the agent on a free loopback port to whoever holds the token.
func demoRuntime(ctx context.Context, agent arcprt.Agent, token arcp.Secret) (url string, stop func(), err error) {
	rt, err := arcprt.New(&arcprt.Options{
		Name: "arcp demo", Version: version(), Limits: arcprt.Limits{ChunkBytes: demoChunk},
		Verifier: arcprt.StaticTokens{arcp.HashToken(token.Reveal()): localPrincipal},
	})
	if err != nil {
		return "", nil, err
	}
	if err := rt.Handle("survey", agent); err != nil {
		return "", nil, err
	}
	ln, err := ws.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return "", nil, err
	}
	endpoint := ws.Handler(&ws.Options{Subprotocol: arcp.Subprotocol}, func(ctx context.Context, c transport.Conn) {
		_ = rt.Serve(ctx, c) // the client sees the same end
	})
	mux := http.NewServeMux()
	mux.Handle(arcp.DefaultPath, endpoint)
	// The server outlives an interrupt, over which the job's end is still to come.
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = ws.Serve(serving, ln, mux, nil)
	}()
	return endpointURL(ln.Addr(), false), func() {
		bounded, done := context.WithTimeout(context.Background(), closeTimeout)
		defer done()
		_ = rt.Shutdown(bounded)
		_ = endpoint.Shutdown(bounded)
		cancel()
		<-served
	}, nil
}

// demoFiles is how many files the job may read.
const demoFiles = "1000000"

// demoLease allows reading so many files of the folder. A name that cannot stand in a pattern leaves only the right to read everything.
func demoLease(root string) arcp.Lease {
	lease := arcp.Lease{arcp.NamespaceFSRead: {path.Join(root, "**")}}
	if lease.Validate() != nil || strings.Contains(root, "*") {
		lease = arcp.Lease{arcp.NamespaceFSRead: {"**"}}
	}
	lease[arcp.NamespaceCostBudget] = []string{survey.Currency + ":" + demoFiles}
	return lease
}

// demoRows bounds each table.
const demoRows = 8

func showReport(w io.Writer, text []byte) error {
	var r survey.Report
	if err := dynjson.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("the report cannot be read: %w", err)
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\n%d files, %d folders, %s, %d lines\n\n", r.Files, r.Folders, size(r.Bytes), r.Lines)
	for _, l := range r.Languages[:min(len(r.Languages), demoRows)] {
		fmt.Fprintf(t, "%s\t%d lines\t%d files\t  %s\n", size(l.Bytes), l.Lines, l.Files, term.Line(l.Name))
	}
	err := t.Flush()
	fmt.Fprintln(w)
	for _, f := range r.Largest[:min(len(r.Largest), demoRows)] {
		fmt.Fprintf(t, "%s\t  %s\n", size(f.Bytes), term.Line(f.Path))
	}
	return errors.Join(err, t.Flush(), writeLine(w))
}

func writeLine(w io.Writer) error {
	_, err := fmt.Fprintln(w)
	return err
}

func size(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/1024, 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", v, units[i])
}
