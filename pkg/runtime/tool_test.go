package runtime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// TestTools: what may be called is run and told of, and nothing else is run. guards E7.
func TestTools(t *testing.T) {
	t.Parallel()
	var ran, codes []string
	register := func(rt *runtime.Runtime) error {
		tool := func(name string, f runtime.Tool) error {
			return rt.HandleTool(name, func(ctx context.Context, task *runtime.Task, args arcp.RawJSON) (arcp.RawJSON, error) {
				ran = append(ran, name+string(args))
				return f(ctx, task, args)
			})
		}
		return errors.Join(
			tool("t.twice", runtime.NewTool(func(_ context.Context, _ *runtime.Task, n int) (int, error) { return 2 * n, nil })),
			tool("t.none", func(context.Context, *runtime.Task, arcp.RawJSON) (arcp.RawJSON, error) { return nil, nil }),
			tool("t.panic", func(context.Context, *runtime.Task, arcp.RawJSON) (arcp.RawJSON, error) { panic("secret") }),
			tool("t.fail", func(context.Context, *runtime.Task, arcp.RawJSON) (arcp.RawJSON, error) {
				return nil, errors.New("secret")
			}),
			tool("t.long", func(context.Context, *runtime.Task, arcp.RawJSON) (arcp.RawJSON, error) {
				return arcp.RawJSON(`"` + strings.Repeat("x", arcp.LimitFrameOut) + `"`), nil
			}),
			tool("u.other", func(context.Context, *runtime.Task, arcp.RawJSON) (arcp.RawJSON, error) { return nil, nil }),
		)
	}
	var result arcp.RawJSON
	heard := underLease(t, nil, &arcp.JobSubmit{LeaseRequest: arcp.Lease{"tool.call": {"t.*"}}}, func(ctx context.Context, task *runtime.Task) error {
		for _, c := range [][2]string{
			{"t.twice", "21"}, {"t.twice", `"x"`}, {"t.none", ""}, {"t.panic", ""}, {"t.fail", ""}, {"t.long", ""}, {"u.other", ""}, {"t.unknown", ""},
		} {
			var args arcp.RawJSON
			if c[1] != "" {
				args = arcp.RawJSON(c[1])
			}
			out, err := task.Call(ctx, c[0], args)
			if result == nil {
				result = out
			}
			codes = append(codes, string(arcp.CodeOf(err)))
		}
		return nil
	}, register)
	want := []string{"", "INVALID_REQUEST", "", "INTERNAL_ERROR", "INTERNAL_ERROR", "INVALID_REQUEST", "PERMISSION_DENIED", "INVALID_REQUEST"}
	if !slices.Equal(codes, want) || string(result) != "42" {
		t.Errorf("codes = %q, want %q; result %s", codes, want, result)
	}
	if want := []string{"t.twice21", `t.twice"x"`, "t.none", "t.panic", "t.fail", "t.long"}; !slices.Equal(ran, want) {
		t.Errorf("ran %q, want %q", ran, want)
	}
	calls, results := 0, 0
	for _, e := range heard {
		if ev, ok := e.Payload.(*arcp.JobEvent); ok {
			switch b := ev.Body.(type) {
			case *arcp.ToolCallBody:
				calls++
			case *arcp.ToolResultBody:
				if results++; b.Error != nil && strings.Contains(b.Error.Message, "secret") {
					t.Errorf("a tool's error is shown: %s", b.Error.Message)
				}
			}
		}
	}
	if calls != 8 || results != 8 {
		t.Errorf("%d calls and %d results in the log, want 8 of each", calls, results)
	}
}

// TestToolNames: a name that no lease could allow, or that is taken, is not registered.
func TestToolNames(t *testing.T) {
	t.Parallel()
	rt, err := runtime.New(&runtime.Options{AllowAnyone: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rt.Shutdown(context.Background()) }()
	tool := func(context.Context, *runtime.Task, arcp.RawJSON) (arcp.RawJSON, error) { return nil, nil }
	if err := rt.HandleTool("a.b", tool); err != nil {
		t.Errorf("a good name: %v", err)
	}
	for _, name := range []string{"", "a.*", "a\x00", "a.b"} {
		if rt.HandleTool(name, tool) == nil {
			t.Errorf("%q was registered", name)
		}
	}
	if rt.HandleTool("c", nil) == nil {
		t.Error("a tool that is nil was registered")
	}
}

// TestModels: what is named and not matched is denied, and so is everything where nothing is named, unless the operator says otherwise.
func TestModels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		any   bool
		lease arcp.Lease
		want  []string
	}{
		{"named", false, arcp.Lease{"model.use": {"tier-fast/*"}}, []string{"", "PERMISSION_DENIED"}},
		{"named, and any otherwise", true, arcp.Lease{"model.use": {"tier-fast/*"}}, []string{"", "PERMISSION_DENIED"}},
		{"none named", false, nil, []string{"PERMISSION_DENIED", "PERMISSION_DENIED"}},
		{"none named, and any then", true, nil, []string{"", ""}},
		{"none allowed", true, arcp.Lease{"model.use": {}}, []string{"PERMISSION_DENIED", "PERMISSION_DENIED"}},
		{"no money", true, arcp.Lease{"cost.budget": {"USD:0"}}, []string{"BUDGET_EXHAUSTED", "BUDGET_EXHAUSTED"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var codes []string
			underLease(t, func(o *runtime.Options) { o.AnyModel = c.any }, &arcp.JobSubmit{LeaseRequest: c.lease}, func(ctx context.Context, task *runtime.Task) error {
				for _, model := range []string{"tier-fast/small", "vendor/large"} {
					codes = append(codes, string(arcp.CodeOf(task.UseModel(ctx, model))))
				}
				return nil
			})
			if !slices.Equal(codes, c.want) {
				t.Errorf("codes = %q, want %q", codes, c.want)
			}
		})
	}
}
