package runtime

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
)

type traceKey struct{}

type activeSpanKey struct{}

// trace is the place of a job in its trace (§11).
type trace struct {
	id     string // 32 lower-case hex digits
	parent string // the traceparent of the span that the job is under
}

// TraceID returns the trace that ctx belongs to, 32 lower-case hex digits, or "" (§11).
func TraceID(ctx context.Context) string {
	if t, ok := ctx.Value(traceKey{}).(trace); ok {
		return t.id
	}
	id, _ := arcp.ParseTraceID(Traceparent(ctx))
	return id
}

// Traceparent returns the W3C traceparent of the active span of ctx, or "" when there is none (§11). In a job that is the innermost
// span of the runtime's [SpanFunc]; without one it is the span that the job was submitted under.
func Traceparent(ctx context.Context) string {
	if active, ok := ctx.Value(activeSpanKey{}).(func(context.Context) string); ok {
		if parent := active(ctx); parent != "" {
			return parent
		}
	}
	t, _ := ctx.Value(traceKey{}).(trace)
	return t.parent
}

// ContextWithTraceparent returns a context of which active tells the active span, and that of contexts made of it: Traceparent calls it
// with the context that it was asked about. A [SpanFunc] uses it; "" is no span.
func ContextWithTraceparent(ctx context.Context, active func(context.Context) string) context.Context {
	return context.WithValue(ctx, activeSpanKey{}, active)
}

// traceOf returns the trace that a submit names in its envelope or in a W3C carrier, and the span in it; new ones for what it does not name.
func traceOf(e *arcp.Envelope) trace {
	carried := carriedParent(e.Extensions)
	id, ok := arcp.ParseTraceID(e.TraceID)
	if !ok {
		return traceUnder(carried)
	}
	if carriedID, _ := arcp.ParseTraceID(carried); len(e.TraceID) == len(id) && carriedID == id {
		return traceUnder(carried)
	}
	return traceUnder(e.TraceID)
}

// traceUnder is the trace of a traceparent, of a trace id, or a new one.
func traceUnder(parent string) trace {
	id, ok := arcp.ParseTraceID(parent)
	switch {
	case !ok:
		id = randomHex(16)
		parent = arcp.Traceparent(id, randomHex(8))
	case len(parent) == len(id):
		parent = arcp.Traceparent(id, randomHex(8))
	}
	return trace{id: strings.Clone(id), parent: strings.Clone(parent)}
}

// carriedParent returns what the W3C carrier among the extensions of a message names, "" when there is none.
func carriedParent(extensions arcp.RawJSON) string {
	if !strings.Contains(string(extensions), arcp.TraceExtension) {
		return ""
	}
	var all map[string]arcp.RawJSON
	var carrier map[string]any
	if dynjson.Unmarshal(extensions, &all) != nil || dynjson.Unmarshal(all[arcp.TraceExtension], &carrier) != nil {
		return ""
	}
	parent, _ := carrier[arcp.TraceparentKey].(string)
	return parent
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
