package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// bench is a runtime with agents that do what their names say.
type bench struct {
	*runtime.Runtime
	Store   store.Store
	release chan struct{} // lets stubborn agents go
}

// tokens are the principals of the tests: the token of each is its name.
func tokens(names ...string) runtime.StaticTokens {
	s := runtime.StaticTokens{}
	for _, n := range names {
		s[arcp.HashToken(n)] = n
	}
	return s
}

func newBench(t *testing.T, change func(*runtime.Options)) *bench {
	t.Helper()
	mem := store.NewMemory()
	o := &runtime.Options{
		Store: mem, Name: "rt", Version: "1", Verifier: tokens("alice", "bob"), Limits: runtime.Limits{ChunkBytes: 6}, Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(o)
	}
	rt, err := runtime.New(o)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{Runtime: rt, Store: mem, release: make(chan struct{})}
	for name, f := range b.agents() {
		if err := rt.Handle(name, f); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"search.web", "fetch.url"} {
		tool := runtime.NewTool(func(_ context.Context, _ *runtime.Task, in string) (string, error) { return "found " + in, nil })
		if err := rt.HandleTool(name, tool); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range []string{"1.5.0", "2.0.0", "2.0.0-rc.1"} {
		f := func(_ context.Context, _ *runtime.Task, _ any) (string, error) { return v, nil }
		if err := rt.Handle("versions@"+v, runtime.Func(f)); err != nil {
			t.Fatal(err)
		}
	}
	typed := runtime.Func(func(_ context.Context, _ *runtime.Task, in struct {
		N int `json:"n"`
	},
	) (map[string]int, error) {
		return map[string]int{"twice": 2 * in.N}, nil
	})
	if err := rt.Handle("typed", typed); err != nil {
		t.Fatal(err)
	}
	return b
}

// stop ends the runtime and every agent.
func (b *bench) stop(t *testing.T) {
	t.Helper()
	close(b.release)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Shutdown(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func (b *bench) agents() map[string]runtime.AgentFunc {
	return map[string]runtime.AgentFunc{
		"echo":    func(_ context.Context, t *runtime.Task) error { return t.SetResult(t.Input()) },
		"trace":   func(ctx context.Context, t *runtime.Task) error { return set(t, runtime.TraceID(ctx)) },
		"emit":    emit,
		"indexer": indexer, "web-research": research, "reports": reports,
		"hold": func(ctx context.Context, t *runtime.Task) error {
			_ = think(ctx, t, "one")
			_ = think(ctx, t, "two")
			<-ctx.Done()
			return context.Cause(ctx)
		},
		"later": func(ctx context.Context, t *runtime.Task) error {
			time.Sleep(time.Minute)
			_ = think(ctx, t, "woke")
			return t.SetResult(t.Input())
		},
		"sleep": func(ctx context.Context, t *runtime.Task) error {
			select {
			case <-time.After(time.Hour):
				return set(t, "slept")
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		},
		"wait": func(ctx context.Context, t *runtime.Task) error {
			<-ctx.Done()
			return set(t, "as if nothing had happened")
		},
		"stubborn": func(_ context.Context, t *runtime.Task) error {
			<-b.release
			err := t.Emit(context.Background(), &arcp.ThoughtBody{Text: "late"})
			if !errors.Is(err, runtime.ErrJobOver) {
				panic(fmt.Sprint("Emit after the end = ", err))
			}
			if err := t.Authorize(context.Background(), "fs.read", "/w"); !errors.Is(err, runtime.ErrJobOver) {
				panic(fmt.Sprint("Authorize after the end = ", err))
			}
			if err := t.SetResult(arcp.RawJSON("1")); !errors.Is(err, runtime.ErrJobOver) {
				panic(fmt.Sprint("SetResult after the end = ", err))
			}
			return nil
		},
		"unsendable": func(context.Context, *runtime.Task) error {
			return &arcp.Error{Code: arcp.CodePermissionDenied, Message: "\xff" + strings.Repeat("x", 2<<20), Details: arcp.RawJSON("{")}
		},
		"nil": func(context.Context, *runtime.Task) error {
			var none *arcp.Error
			return none
		},
		"fail": func(context.Context, *runtime.Task) error {
			err := arcp.NewError(arcp.CodeBudgetExhausted, "no more")
			err.Details = arcp.RawJSON(`{"remaining":0}`)
			return err
		},
		"broken":   func(context.Context, *runtime.Task) error { return errors.New("canary: /secret/path") },
		"panic":    func(context.Context, *runtime.Task) error { panic("canary: /secret/path") },
		"exit":     func(context.Context, *runtime.Task) error { goruntime.Goexit(); return nil },
		"kinds":    kinds,
		"reserved": reserved,
		"gate":     gate,
		"delegate": delegate,
		"chunks": func(ctx context.Context, t *runtime.Task) error {
			return stream(ctx, t, arcp.EncodingUTF8, "abcdééééé")
		},
		"bytes": func(ctx context.Context, t *runtime.Task) error {
			return stream(ctx, t, arcp.EncodingBase64, "\x00\x01\x02\x03\x04\x05\x06\x07\x08")
		},
		"mixed": func(ctx context.Context, t *runtime.Task) error {
			w, err := t.ResultWriter(ctx, arcp.EncodingUTF8)
			if err != nil {
				return err
			}
			if _, err := w.Write([]byte("1234567")); err != nil {
				return err
			}
			return t.SetResult(arcp.RawJSON("1"))
		},
		"large": func(_ context.Context, t *runtime.Task) error {
			return set(t, strings.Repeat("x", arcp.LimitFrameOut))
		},
	}
}

func think(ctx context.Context, t *runtime.Task, text string) error {
	return t.Emit(ctx, &arcp.ThoughtBody{Text: text})
}

// emit emits as many thoughts as its input says, a number or its member n.
func emit(ctx context.Context, t *runtime.Task) error {
	var n int
	if err := dynjson.Unmarshal(t.Input(), &n); err != nil {
		var in struct {
			N float64 `json:"n"`
		}
		if err := dynjson.Unmarshal(t.Input(), &in); err != nil {
			return err
		}
		n = int(in.N)
	}
	for i := range n {
		if err := think(ctx, t, fmt.Sprint(i+1)); err != nil {
			return err
		}
	}
	return set(t, n)
}

func set(t *runtime.Task, v any) error {
	raw, err := dynjson.Marshal(v)
	if err != nil {
		return err
	}
	return t.SetResult(raw)
}

func stream(ctx context.Context, t *runtime.Task, e arcp.ResultEncoding, text string) error {
	w, err := t.ResultWriter(ctx, e)
	if err != nil {
		return err
	}
	for i := range len(text) {
		if _, err := w.Write([]byte{text[i]}); err != nil {
			return err
		}
	}
	return w.Close()
}

func kinds(ctx context.Context, t *runtime.Task) error {
	for _, body := range []arcp.EventBody{
		&arcp.LogBody{Level: arcp.LevelInfo, Message: "m", Fields: arcp.RawJSON(`{"a":1}`)},
		&arcp.ThoughtBody{Text: "t"},
		&arcp.ToolCallBody{Tool: "t", Args: arcp.RawJSON("null"), CallID: "c"},
		&arcp.ToolResultBody{CallID: "c", Result: arcp.RawJSON("null")},
		&arcp.StatusBody{Phase: "p"},
		&arcp.MetricBody{Name: "cost.x", Value: "0.0234", Unit: "USD"},
		&arcp.ArtifactRefBody{URI: "file:///x", ContentType: "text/plain"},
		&arcp.ProgressBody{Current: 1, Total: 2},
		&arcp.TraceSpanBody{SpanID: "s", Name: "n"},
		&arcp.UnknownBody{Kind: "x-vendor.acme.beat", Raw: arcp.RawJSON(`{"b":  2}`)},
	} {
		if err := t.Emit(ctx, body); err != nil {
			return err
		}
	}
	return nil
}

func reserved(ctx context.Context, t *runtime.Task) error {
	var codes []arcp.ErrorCode
	for _, body := range []arcp.EventBody{
		&arcp.StatusBody{Phase: arcp.PhaseCredentialRotated, ID: "c", Value: arcp.MakeSecret("x")},
		&arcp.StatusBody{Phase: arcp.PhaseBackPressure},
		&arcp.StatusBody{Phase: arcp.PhaseRestarted},
		&arcp.MetricBody{Name: arcp.MetricBudgetRemaining, Value: "1", Unit: "USD"},
		&arcp.DelegateBody{ChildJobID: "j", Agent: "a"},
		&arcp.ResultChunkBody{ResultID: "r", Data: "x", Encoding: arcp.EncodingUTF8},
		&arcp.UnknownBody{Kind: "secret_kind", Raw: arcp.RawJSON("{}")},
		&arcp.ThoughtBody{Text: "not UTF-8: \xff"},
	} {
		err := t.Emit(ctx, body)
		if err == nil {
			return fmt.Errorf("%s was taken", body.EventKind())
		}
		codes = append(codes, arcp.CodeOf(err))
	}
	return set(t, codes)
}

func gate(ctx context.Context, t *runtime.Task) error {
	var lines []string
	for _, c := range [][2]string{{"fs.read", "/w/a"}, {"fs.read", "/etc/passwd"}, {"fs.write", "/w/a"}, {"tool.call", "x"}} {
		verdict := "ok"
		if err := t.Authorize(ctx, c[0], c[1]); err != nil {
			verdict = string(arcp.CodeOf(err))
		}
		lines = append(lines, c[0]+" "+c[1]+": "+verdict)
	}
	return set(t, lines)
}
