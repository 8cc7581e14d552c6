package otel_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/otel"
	"github.com/arcpkit/arcp/pkg/transport"
)

// A runtime whose jobs are traced, and a client that has a trace. Any exporter of OpenTelemetry does in place of the recorder.
func Example() {
	ctx := context.Background()
	spans := tracetest.NewSpanRecorder()
	rt, err := runtime.New(&runtime.Options{
		AllowAnyone: true,
		Spans:       otel.Spans(trace.NewTracerProvider(trace.WithSpanProcessor(spans))),
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := rt.Handle("greet", runtime.Func(func(_ context.Context, _ *runtime.Task, name string) (string, error) {
		return "Hello, " + name, nil
	})); err != nil {
		log.Fatal(err)
	}
	session, err := client.Connect(ctx, transport.DialerFunc(func(context.Context) (transport.Conn, error) {
		ours, theirs := transport.Pipe()
		go func() { _ = rt.Serve(ctx, ours) }()
		return theirs, nil
	}), nil)
	if err != nil {
		log.Fatal(err)
	}
	job, err := session.SubmitEnvelope(ctx, &arcp.Envelope{
		TraceID: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		Payload: &arcp.JobSubmit{Agent: "greet", Input: arcp.RawJSON(`"Ada"`)},
	})
	if err != nil {
		log.Fatal(err)
	}
	result, err := job.Result(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", result.Result)
	_ = session.Close(ctx)
	_ = rt.Shutdown(ctx)
	for _, span := range spans.Ended() {
		fmt.Println(span.Name(), "under", span.Parent().SpanID(), "in", span.SpanContext().TraceID())
	}
	// Output:
	// "Hello, Ada"
	// arcp.job under 00f067aa0ba902b7 in 4bf92f3577b34da6a3ce929d0e0e4736
}
