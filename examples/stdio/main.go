// Command stdio needs no port and no token: the client starts the runtime as a child process and speaks to it over the
// child's standard streams, one message a line. The program is both: called as "stdio serve" it is the child.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
)

func main() {
	ctx := context.Background()
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		if err := serve(ctx); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(ctx, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// serve is the child. Its parent vouches for who is talking, so that no token is asked for.
func serve(ctx context.Context) error {
	conn := transport.Stdio(&transport.LinesOptions{Peer: transport.Peer{Secure: true, Loopback: true, Principal: "parent"}})
	rt, err := arcprt.New(&arcprt.Options{TrustTransport: true}) // the parent says who it is
	if err != nil {
		return err
	}
	defer rt.Shutdown(ctx)
	err = rt.Handle("shout", arcprt.Func(func(_ context.Context, t *arcprt.Task, text string) (string, error) {
		fmt.Println("a stray print goes to standard error and breaks nothing")
		return strings.ToUpper(text) + ", " + t.Principal(), nil
	}))
	if err != nil {
		return err
	}
	return rt.Serve(ctx, conn)
}

// run is the parent.
func run(ctx context.Context, w io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	session, err := client.Connect(ctx, &transport.Command{Args: []string{self, "serve"}}, nil)
	if err != nil {
		return err
	}
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "shout", Input: arcp.RawJSON(`"hello"`)})
	if err != nil {
		return err
	}
	result, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s\n", result.Result)
	// The child leaves when the session is closed; Close returns when it is gone.
	return session.Close(ctx)
}
