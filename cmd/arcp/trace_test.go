package main

import (
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// TestEnvelopeOfATrace: a job is under the span of whoever calls the command, in a form that each runtime reads.
func TestEnvelopeOfATrace(t *testing.T) {
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, c := range []struct{ parent, trace, extensions string }{
		{"00-" + id + "-00f067aa0ba902b7-01", id, `{"x-vendor.opentelemetry.tracecontext":{"traceparent":"00-` + id + `-00f067aa0ba902b7-01"}}`},
		{"nonsense", "", ""},
		{"", "", ""},
	} {
		t.Setenv("TRACEPARENT", c.parent)
		if e := envelope(&arcp.JobSubmit{Agent: "a"}); e.TraceID != c.trace || string(e.Extensions) != c.extensions {
			t.Errorf("under %q the submit has %q and %s", c.parent, e.TraceID, e.Extensions)
		}
	}
}
