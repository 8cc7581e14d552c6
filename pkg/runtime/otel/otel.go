// Package otel traces a runtime with OpenTelemetry:
//
//	rt, err := arcprt.New(&arcprt.Options{Spans: otel.Spans(provider), …})
//
// The spans of a runtime are under what its clients send, be it a traceparent as trace_id or a W3C carrier in the extensions of the
// submit. A client that names a trace alone has no span to be under: there the first span of the job has a parent in that trace which
// nobody reports.
//
// It is a module of its own, so that a runtime which is not traced needs nothing of OpenTelemetry.
package otel

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// scope is the name of the instrumentation.
const scope = "github.com/arcpkit/arcp/pkg/runtime/otel"

// Spans makes the spans of a runtime by a provider, for Options.Spans. In the context of such a span, and of those that an agent begins in
// it with OpenTelemetry itself, runtime.Traceparent tells the innermost.
func Spans(p trace.TracerProvider) runtime.SpanFunc {
	tracer := p.Tracer(scope)
	return func(ctx context.Context, name string, attrs ...slog.Attr) (context.Context, func(error, ...slog.Attr)) {
		if !trace.SpanContextFromContext(ctx).IsValid() {
			carrier := propagation.MapCarrier{arcp.TraceparentKey: runtime.Traceparent(ctx)}
			ctx = propagation.TraceContext{}.Extract(ctx, carrier)
		}
		ctx, span := tracer.Start(ctx, name, trace.WithAttributes(attributes(attrs)...))
		return runtime.ContextWithTraceparent(ctx, traceparent), func(err error, attrs ...slog.Attr) {
			span.SetAttributes(attributes(attrs)...)
			if err != nil {
				span.SetStatus(codes.Error, err.Error())
			}
			span.End()
		}
	}
}

// traceparent tells the active span of a context.
func traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[arcp.TraceparentKey]
}

// attributes are those of a span in the form of OpenTelemetry, which has no times.
func attributes(attrs []slog.Attr) []attribute.KeyValue {
	out := make([]attribute.KeyValue, 0, len(attrs))
	for _, a := range attrs {
		out = append(out, keyValue(a.Key, a.Value.Resolve()))
	}
	return out
}

func keyValue(key string, v slog.Value) attribute.KeyValue {
	switch v.Kind() {
	case slog.KindBool:
		return attribute.Bool(key, v.Bool())
	case slog.KindInt64:
		return attribute.Int64(key, v.Int64())
	case slog.KindFloat64:
		return attribute.Float64(key, v.Float64())
	case slog.KindTime:
		return attribute.String(key, v.Time().UTC().Format(time.RFC3339Nano))
	}
	if list, ok := v.Any().([]string); ok {
		return attribute.StringSlice(key, list)
	}
	return attribute.String(key, fmt.Sprint(v))
}
