package otel_test

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/otel"
)

// TestSpans: spans of the hook and of the agent's own are one tree, and what is passed on is always the innermost.
func TestSpans(t *testing.T) {
	t.Parallel()
	seen := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(seen))
	begin := otel.Spans(provider)
	const upstream = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	ctx := runtime.ContextWithTraceparent(t.Context(), func(context.Context) string { return upstream })
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	ctx, endJob := begin(ctx, arcp.SpanJob, slog.Int(arcp.AttrJobAttempt, 2), slog.Time(arcp.AttrLeaseExpiresAt, at))
	own, mine := provider.Tracer("agent").Start(ctx, "own")
	inner, endInner := begin(own, arcp.SpanDelegate, slog.Bool("b", true), slog.Float64("f", 0.5))
	parents := []string{runtime.Traceparent(ctx), runtime.Traceparent(own), runtime.Traceparent(inner)}
	endInner(errors.New("no"))
	mine.End()
	endJob(nil, slog.Any(arcp.AttrBudgetRemaining, []string{"USD:1"}))

	ended := seen.Ended()
	if len(ended) != 3 {
		t.Fatalf("%d spans ended, want 3", len(ended))
	}
	delegate, agent, job := ended[0], ended[1], ended[2]
	if got := job.Parent(); got.SpanID().String() != "00f067aa0ba902b7" || !got.IsRemote() {
		t.Errorf("the job is under %v, want the client's span", got)
	}
	if agent.Parent().SpanID() != job.SpanContext().SpanID() || delegate.Parent().SpanID() != agent.SpanContext().SpanID() {
		t.Error("the spans are not below each other")
	}
	for i, span := range []trace.ReadOnlySpan{job, agent, delegate} {
		sc := span.SpanContext()
		if want := arcp.Traceparent(sc.TraceID().String(), sc.SpanID().String()); parents[i] != want {
			t.Errorf("in %s what is passed on is %s, want %s", span.Name(), parents[i], want)
		}
	}
	if want := (trace.Status{Code: codes.Error, Description: "no"}); delegate.Status() != want || job.Status().Code != codes.Unset {
		t.Errorf("the states are %v and %v", delegate.Status(), job.Status())
	}
	want := []attribute.KeyValue{
		attribute.Int(arcp.AttrJobAttempt, 2), attribute.String(arcp.AttrLeaseExpiresAt, "2030-01-02T02:04:05Z"),
		attribute.StringSlice(arcp.AttrBudgetRemaining, []string{"USD:1"}),
	}
	if got := job.Attributes(); !reflect.DeepEqual(got, want) {
		t.Errorf("the job has %v, want %v", got, want)
	}
	if got, want := delegate.Attributes(), []attribute.KeyValue{attribute.Bool("b", true), attribute.Float64("f", 0.5)}; !reflect.DeepEqual(got, want) {
		t.Errorf("the inner span has %v, want %v", got, want)
	}
}
