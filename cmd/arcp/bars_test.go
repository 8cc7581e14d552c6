package main

import (
	"strings"
	"testing"

	"github.com/vbauerster/mpb/v8"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// The gauge of a budget goes with what the runtime says is left, and no line is written for that.
func TestBudgetGauge(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	b := newBars(&out, mpb.WithAutoRefresh())
	granted, _ := arcp.ParseAmount("5.00")
	if err := b.accepted(&arcp.JobAccepted{JobID: "job_1", Budget: arcp.Budget{"USD": granted}}); err != nil {
		t.Fatal(err)
	}
	left := &arcp.MetricBody{Name: arcp.MetricBudgetRemaining, Value: "4.20", Unit: "USD"}
	if err := b.event(&arcp.Event{Kind: arcp.KindMetric, Body: left}); err != nil {
		t.Fatal(err)
	}
	g := b.budget["USD"]
	if text := *g.text.Load(); text != "USD 4.20 of 5.00 left" || g.Current() != 4200 {
		t.Errorf("the gauge shows %q at %d, want 4.20 of 5.00 left at 4200", text, g.Current())
	}
	b.close()
	if strings.Contains(out.String(), "budget ") {
		t.Errorf("the terminal got %q", out.String())
	}
}

// Lines stay above the bars, cleaned, and no bar is left behind.
func TestBars(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	b := newBars(&out, mpb.WithAutoRefresh())
	events := []arcp.EventBody{
		&arcp.LogBody{Level: arcp.LevelWarn, Message: "low\x1b[2J"},
		&arcp.ProgressBody{Current: 1, Total: 4, Units: "files", Message: "a"},
		&arcp.ProgressBody{Current: 1e300, Units: "bytes"},
		&arcp.ProgressBody{Current: 2, Total: 1, Units: "files"},
		&arcp.ResultChunkBody{},
		&arcp.UnknownBody{Kind: "x-vendor.a.b", Raw: arcp.RawJSON(`{"n":1}`)},
	}
	if err := b.accepted(&arcp.JobAccepted{JobID: "job_1", Agent: "a@1.0.0"}); err != nil {
		t.Fatal(err)
	}
	for _, body := range events {
		if err := b.event(&arcp.Event{Kind: body.EventKind(), Body: body}); err != nil {
			t.Fatalf("event(%T) = %v", body, err)
		}
	}
	b.note("note\n")
	b.close()
	b.close() // which does nothing
	for _, want := range []string{"job        job_1 a@1.0.0\n", `warn       low\x1b[2J` + "\n", `x-vendor.a.b {"n":1}` + "\n", "note\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the terminal got %q, without %q", out.String(), want)
		}
	}
	if bar, cleared := strings.LastIndex(out.String(), "%"), strings.LastIndex(out.String(), "\x1b[J"); bar < 0 || cleared < bar {
		t.Errorf("the terminal got %q, which leaves a bar standing", out.String())
	}
	if len(b.byUnit) != 2 {
		t.Errorf("%d bars, want one for each of 2 units", len(b.byUnit))
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body        arcp.EventBody
		label, text string
	}{
		{&arcp.LogBody{Level: "info", Message: "a\nb", Fields: arcp.RawJSON(`{"x":1}`)}, "info", "a\n" + continued + `b {"x":1}`},
		{&arcp.ThoughtBody{Text: "\x07"}, "thought", `\x07`},
		{&arcp.StatusBody{Phase: "p", Message: "m"}, "status", "p m"},
		{&arcp.ProgressBody{Current: 1.5}, "progress", "1.5"},
		{&arcp.ProgressBody{Current: 1, Total: 2, Units: "u", Message: "m"}, "progress", "1/2 u m"},
		{&arcp.MetricBody{Name: "n", Value: "1.50", Unit: "USD"}, "metric", "n 1.50 USD"},
		{&arcp.MetricBody{Name: arcp.MetricBudgetRemaining, Value: "-0.12", Unit: "USD"}, "budget", "USD -0.12 left"},
		{&arcp.ToolCallBody{Tool: "t", Args: arcp.RawJSON(`[1]`), CallID: "c"}, "tool", "t [1] #c"},
		{&arcp.ToolResultBody{CallID: "c", Result: arcp.RawJSON(`null`)}, "tool", "#c = null"},
		{&arcp.ToolResultBody{CallID: "c", Error: &arcp.ToolError{Code: "X", Message: "m"}}, "tool", "#c failed: X m"},
		{&arcp.ArtifactRefBody{URI: "u", ContentType: "t"}, "artifact", "u t"},
		{&arcp.DelegateBody{Agent: "a", ChildJobID: "j"}, "delegate", "a j"},
		{&arcp.TraceSpanBody{}, "", ""},
		{&arcp.UnknownBody{Kind: "x", Raw: arcp.RawJSON(`"` + strings.Repeat("ä", 200) + `"`)}, "x", `"` + strings.Repeat("ä", 99) + "…"},
	} {
		label, text := describe(&arcp.Event{Kind: c.body.EventKind(), Body: c.body})
		if label != c.label || text != c.text {
			t.Errorf("describe(%T) = %q, %q, want %q, %q", c.body, label, text, c.label, c.text)
		}
	}
}
