package runtime_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
)

const (
	traceID  = "4bf92f3577b34da6a3ce929d0e0e4736"
	upstream = "00-" + traceID + "-00f067aa0ba902b7-00"
)

// TestTraceparent: an agent is under the span that its client names, wherever it names it, and in the client's trace in any case.
func TestTraceparent(t *testing.T) {
	t.Parallel()
	carrier := func(parent string) arcp.RawJSON {
		return arcp.RawJSON(`{"x-vendor.acme.a":1,"` + arcp.TraceExtension + `":{"traceparent":` + parent + `}}`)
	}
	other := "00-aaaabbbbccccddddeeeeffff00001111-00f067aa0ba902b7-01"
	for _, c := range []struct {
		name, id   string
		extensions arcp.RawJSON
		want       string // the traceparent; of a trace alone, its beginning
	}{
		{"in the envelope", upstream, nil, upstream},
		{"in a carrier", "", carrier(`"` + upstream + `"`), upstream},
		{"in a carrier of the same trace", traceID, carrier(`"` + upstream + `"`), upstream},
		{"in a carrier of another trace", traceID, carrier(`"` + other + `"`), "00-" + traceID + "-"},
		{"in both", upstream, carrier(`"` + other + `"`), upstream},
		{"a trace only", traceID, nil, "00-" + traceID + "-"},
		{"a carrier of no text", traceID, carrier(`7`), "00-" + traceID + "-"},
		{"a carrier of no span", "", carrier(`"x"`), "00-"},
		{"nothing", "", nil, "00-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bounded(t, nil, func(t *testing.T, b *bench, conn transport.Conn, session string) {
				if err := b.Handle("parent", runtime.AgentFunc(func(ctx context.Context, t *runtime.Task) error {
					if first, again := runtime.Traceparent(ctx), runtime.Traceparent(ctx); runtime.TraceID(ctx) != t.TraceID() || first != again {
						return arcp.NewError(arcp.CodeInvalidRequest, "the context is of another trace")
					}
					return set(t, runtime.Traceparent(ctx))
				})); err != nil {
					t.Fatal(err)
				}
				say(t, conn, &arcp.Envelope{
					ID: "m", SessionID: session, TraceID: c.id, Extensions: c.extensions, Payload: &arcp.JobSubmit{Agent: "parent"},
				})
				accepted := hear(t, conn)
				e := hear(t, conn)
				res, ok := e.Payload.(*arcp.JobResult)
				if !ok {
					t.Fatalf("got %+v, want a result", e.Payload)
				}
				got := string(res.Result[1 : len(res.Result)-1])
				id, whole := arcp.ParseTraceID(got)
				if !whole || len(got) < len(c.want) || got[:len(c.want)] != c.want {
					t.Errorf("the agent is under %q, want %q", got, c.want)
				}
				if accepted.TraceID != id || e.TraceID != id {
					t.Errorf("frames have the traces %q and %q, the agent %q", accepted.TraceID, e.TraceID, id)
				}
			})
		})
	}
}

// spans are noted as they end.
type spans struct {
	mu    sync.Mutex
	begun int
	ended []string
}

func (s *spans) begin(ctx context.Context, name string, attrs ...slog.Attr) (context.Context, func(error, ...slog.Attr)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun++
	span, under := fmt.Sprintf("%016x", s.begun), runtime.Traceparent(ctx)
	ctx = runtime.ContextWithTraceparent(ctx, func(ctx context.Context) string { return arcp.Traceparent(runtime.TraceID(ctx), span) })
	return ctx, func(err error, more ...slog.Attr) {
		s.mu.Lock()
		defer s.mu.Unlock()
		line := name + " under " + under
		for _, a := range slices.Concat(attrs, more) {
			if a.Key != arcp.AttrJobID && a.Key != arcp.AttrSessionID && a.Key != arcp.AttrJobParentID {
				line += " " + a.String()
			}
		}
		s.ended = append(s.ended, fmt.Sprint(line, " error=", err))
	}
}

// TestSpans: a run has a span under that of its client, which ends once, with how the job ended, however that came about.
func TestSpans(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ agent, want string }{
		{"echo", "arcp.job.status=success error=<nil>"},
		{"fail", "arcp.job.status=error arcp.error.code=BUDGET_EXHAUSTED error=BUDGET_EXHAUSTED: no more"},
		{"exit", "arcp.job.status=error arcp.error.code=INTERNAL_ERROR error=INTERNAL_ERROR: the agent failed; the runtime's log has the reason under this job's id"},
		{"stubborn", "arcp.job.status=timed_out arcp.error.code=TIMEOUT error=TIMEOUT: the job ran longer than max_runtime_sec"},
	} {
		t.Run(c.agent, func(t *testing.T) {
			t.Parallel()
			s := &spans{}
			bounded(t, func(o *runtime.Options) { o.Spans = s.begin }, func(t *testing.T, _ *bench, conn transport.Conn, session string) {
				submit := maxRuntime(5, c.agent)
				submit.Input = arcp.RawJSON("1")
				say(t, conn, &arcp.Envelope{ID: "m", SessionID: session, TraceID: upstream, Payload: submit})
				time.Sleep(time.Minute) // in the bubble
				synctest.Wait()
				want := "arcp.job under " + upstream + " arcp.agent=" + c.agent + "@1.0.0 arcp.job.attempt=1 " + c.want
				s.mu.Lock()
				defer s.mu.Unlock()
				if len(s.ended) != 1 || s.ended[0] != want {
					t.Errorf("ended %q, want %q", s.ended, want)
				}
			})
		})
	}
}

// TestActiveSpan: what an agent passes on is the span it is in.
func TestActiveSpan(t *testing.T) {
	t.Parallel()
	s := &spans{}
	bounded(t, func(o *runtime.Options) { o.Spans = s.begin }, func(t *testing.T, b *bench, conn transport.Conn, session string) {
		if err := b.Handle("parent", runtime.AgentFunc(func(ctx context.Context, t *runtime.Task) error {
			return set(t, runtime.Traceparent(ctx))
		})); err != nil {
			t.Fatal(err)
		}
		say(t, conn, &arcp.Envelope{ID: "m", SessionID: session, TraceID: upstream, Payload: &arcp.JobSubmit{Agent: "parent"}})
		hear(t, conn)
		want := `"` + arcp.Traceparent(traceID, "0000000000000001") + `"`
		if res := hear(t, conn).Payload.(*arcp.JobResult); string(res.Result) != want {
			t.Errorf("the agent passes on %s, want %s", res.Result, want)
		}
	})
	if got := runtime.Traceparent(context.Background()) + runtime.TraceID(context.Background()); got != "" {
		t.Errorf("outside of jobs the trace is %q", got)
	}
}
