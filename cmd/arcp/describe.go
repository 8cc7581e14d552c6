package main

import (
	"fmt"
	"strings"

	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// describe puts an event into a label and a text for people, cleaned for a terminal; an empty label is nothing to show.
func describe(ev *arcp.Event) (label, text string) {
	switch b := ev.Body.(type) {
	case *arcp.LogBody:
		return term.Line(string(b.Level)), join(term.Block(b.Message, continued), raw(b.Fields))
	case *arcp.ThoughtBody:
		return "thought", term.Block(b.Text, continued)
	case *arcp.StatusBody:
		return "status", join(term.Line(b.Phase), term.Block(b.Message, continued), raw(b.Details))
	case *arcp.ProgressBody:
		return "progress", describeProgress(b)
	case *arcp.MetricBody:
		if b.Name == arcp.MetricBudgetRemaining {
			return "budget", join(term.Line(b.Unit), term.Line(string(b.Value)), "left")
		}
		return "metric", join(term.Line(b.Name), term.Line(string(b.Value)), term.Line(b.Unit))
	case *arcp.ToolCallBody:
		return "tool", join(term.Line(b.Tool), raw(b.Args), "#"+term.Line(b.CallID))
	case *arcp.ToolResultBody:
		return "tool", describeToolResult(b)
	case *arcp.ArtifactRefBody:
		return "artifact", join(term.Line(b.URI), term.Line(b.ContentType))
	case *arcp.DelegateBody:
		return "delegate", join(term.Line(b.Agent), term.Line(b.ChildJobID))
	case *arcp.TraceSpanBody, *arcp.ResultChunkBody:
		return "", ""
	case *arcp.UnknownBody:
		return term.Line(string(b.Kind)), raw(b.Raw)
	default:
		return term.Line(string(ev.Kind)), ""
	}
}

// continued begins each line of a text after its first.
const continued = "           | "

func describeProgress(b *arcp.ProgressBody) string {
	count := fmt.Sprintf("%g", b.Current)
	if b.Total > 0 {
		count = fmt.Sprintf("%g/%g", b.Current, b.Total)
	}
	return join(count, term.Line(b.Units), term.Line(b.Message))
}

func describeToolResult(b *arcp.ToolResultBody) string {
	if b.Error != nil {
		return join("#"+term.Line(b.CallID), "failed:", term.Line(string(b.Error.Code)), term.Line(b.Error.Message))
	}
	return join("#"+term.Line(b.CallID), "=", raw(b.Result))
}

// maxRaw is how many bytes of a JSON value are shown on a line.
const maxRaw = 200

func raw(r arcp.RawJSON) string {
	if len(r) <= maxRaw {
		return term.Line(string(r))
	}
	return term.Line(strings.ToValidUTF8(string(r[:maxRaw]), "")) + "…"
}

// join puts a space between the parts that are not empty.
func join(parts ...string) string {
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " ")
}
