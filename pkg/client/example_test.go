package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
)

// The dialer is a *ws.Dialer for a WebSocket, a *transport.Command for a child process, or anything else that opens connections.
func ExampleConnect() {
	ctx := context.Background()
	session, err := client.Connect(ctx, dialer, &client.Options{Name: "example", Token: os.Getenv("ARCP_TOKEN")})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close(ctx)
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "greet", Input: arcp.RawJSON(`["Ada", "Alan"]`)})
	if err != nil {
		log.Fatal(err) // refused
	}
	for ev, err := range job.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if p, ok := ev.Body.(*arcp.ProgressBody); ok {
			fmt.Printf("%v of %v: %s\n", p.Current, p.Total, p.Message)
		}
	}
	result, err := job.Result(ctx)
	if err != nil {
		log.Fatal(err) // the job failed, or the session ended before it; errors.Is tells which
	}
	fmt.Printf("%s %s\n", result.FinalStatus, result.Result)
	// Output:
	// 1 of 2: Ada
	// 2 of 2: Alan
	// success "Hello, Ada and Alan"
}

// Another session of the same principal submitted the job.
func ExampleSession_Subscribe() {
	ctx := context.Background()
	session, err := client.Connect(ctx, dialer, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close(ctx)
	job, err := session.Subscribe(ctx, "job_01", &client.SubscribeOptions{History: true})
	if err != nil {
		log.Fatal(err)
	}
	for ev, err := range job.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(ev.Kind, ev.ID)
	}
	fmt.Println(job.Status())
	// Output:
	// progress job_01.1
	// progress job_01.2
	// success
}

func ExampleSession_Jobs() {
	ctx := context.Background()
	session, err := client.Connect(ctx, dialer, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close(ctx)
	for job, err := range session.Jobs(ctx, &arcp.JobFilter{Agent: "greet"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(job.JobID, job.Agent, job.Status)
	}
	// Output: job_01 greet@1.0.0 running
}

// Another process goes on with the session; who has its state has the session.
func ExampleResume() {
	ctx := context.Background()
	session, err := client.Connect(ctx, dialer, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := session.Close(ctx); err != nil { // its jobs run on
		log.Fatal(err)
	}
	kept, err := session.State().MarshalBinary()
	if err != nil {
		log.Fatal(err)
	}

	var state client.State
	if err := state.UnmarshalBinary(kept); err != nil {
		log.Fatal(err)
	}
	session, err = client.Resume(ctx, dialer, state, nil)
	switch {
	case errors.Is(err, client.ErrSessionExpired):
		fmt.Println("too late: Subscribe shows what the runtime still has of the jobs")
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Println("resumed", session.ID())
		_ = session.Close(ctx)
	}
	// Output: resumed sess_01
}

// A program that keeps its session for the next process keeps it anew each time it was resumed.
func ExampleSession_Renewed() {
	ctx := context.Background()
	session, err := client.Connect(ctx, dialer, nil)
	if err != nil {
		log.Fatal(err)
	}
	keep := func(state client.State) {
		kept, err := state.MarshalBinary() // to be written where nobody else reads it
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("kept", state.SessionID(), len(kept) > 0)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range session.Renewed() {
			keep(session.State())
		}
	}()
	_ = session.Close(ctx)
	<-done
	keep(session.State()) // it is resumable for some time
	// Output: kept sess_01 true
}

// The result as a stream, whether the agent streamed it or not.
func ExampleJob_ResultReader() {
	ctx := context.Background()
	session, err := client.Connect(ctx, dialer, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close(ctx)
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "greet"})
	if err != nil {
		log.Fatal(err)
	}
	r, err := job.ResultReader(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	if _, err := io.Copy(os.Stdout, r); err != nil {
		log.Fatal(err)
	}
	// Output: "Hello, Ada and Alan"
}
