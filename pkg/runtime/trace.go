package runtime

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/arcpkit/arcp/pkg/arcp"
)

type traceKey struct{}

// TraceID returns the trace that ctx belongs to, 32 lower-case hex digits, or "" (§11).
func TraceID(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}

// Traceparent returns a W3C traceparent for a new span in the trace of ctx, or "" when there is none (§11).
func Traceparent(ctx context.Context) string {
	return arcp.Traceparent(TraceID(ctx), randomHex(8))
}

// traceOf returns the trace that a peer named, a new one when it named none.
func traceOf(sent string) string {
	if id, ok := arcp.ParseTraceID(sent); ok {
		return id
	}
	return randomHex(16)
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
