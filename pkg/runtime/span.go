package runtime

import (
	"context"
	"log/slog"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// SpanFunc begins a span of what a runtime does (§11): names and attributes are arcp.Span… and arcp.Attr…. The context it returns is
// that of the work, and is to tell the span by [ContextWithTraceparent]; Traceparent of the one it is given is the span around it. End is
// called once, with what went wrong and with what was not known before. Both are called from any goroutine and must not block. Package
// pkg/runtime/otel, a module of its own, makes one for OpenTelemetry.
type SpanFunc func(ctx context.Context, name string, attrs ...slog.Attr) (_ context.Context, end func(err error, attrs ...slog.Attr))

// span begins a span where somebody asked for spans. End is never nil.
func (rt *Runtime) span(ctx context.Context, name string, attrs ...slog.Attr) (context.Context, func(err error, attrs ...slog.Attr)) {
	if rt.opts.Spans == nil {
		return ctx, func(error, ...slog.Attr) {}
	}
	return rt.opts.Spans(ctx, name, attrs...)
}

// jobSpan is the span of the run of a job. The lock of the job guards it.
type jobSpan struct {
	end     func(error, ...slog.Attr) // nil when there is none, or no more
	failure *arcp.Error               // what the job ended with
}

// beginSpan begins the span of a run of the job.
func (j *job) beginSpan(ctx context.Context) context.Context {
	if j.rt.opts.Spans == nil {
		return ctx
	}
	attrs := []slog.Attr{
		slog.String(arcp.AttrJobID, j.id), slog.String(arcp.AttrSessionID, j.owner.id), slog.String(arcp.AttrAgent, j.agent),
		slog.Int(arcp.AttrJobAttempt, j.task.attempt),
	}
	if j.kin.of != "" {
		attrs = append(attrs, slog.String(arcp.AttrJobParentID, j.kin.of))
	}
	if end := j.grant.expiry.Time(); !end.IsZero() {
		attrs = append(attrs, slog.Time(arcp.AttrLeaseExpiresAt, end))
	}
	ctx, end := j.rt.span(ctx, arcp.SpanJob, attrs...)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.spans.end = end
	return ctx
}

// endSpan ends the span of the run, unless that was done.
func (j *job) endSpan(err error, attrs ...slog.Attr) {
	j.mu.Lock()
	end := j.spans.end
	j.spans.end = nil
	j.mu.Unlock()
	if end != nil {
		end(err, attrs...)
	}
}

// spanOver ends the span of a job that has ended, be it that its agent goes on.
func (j *job) spanOver() {
	if j.rt.opts.Spans == nil {
		return
	}
	j.mu.Lock()
	failure, attrs := j.spans.failure, []slog.Attr{slog.String(arcp.AttrJobStatus, string(j.core.Status()))}
	j.mu.Unlock()
	if left := j.grant.purse.remaining(); left != nil {
		attrs = append(attrs, slog.Any(arcp.AttrBudgetRemaining, left.Entries()))
	}
	var err error
	if failure != nil {
		err = failure
		attrs = append(attrs, slog.String(arcp.AttrErrorCode, string(failure.Code)))
	}
	j.endSpan(err, attrs...)
}
