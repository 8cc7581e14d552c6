package arcp_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

func ping() *arcp.Envelope {
	return &arcp.Envelope{ID: "i", SessionID: "s", Payload: &arcp.SessionPing{Nonce: "n", SentAt: time.Unix(1, 0)}}
}

func event(body arcp.EventBody) *arcp.Envelope {
	return &arcp.Envelope{
		ID: "i", SessionID: "s", JobID: "j", EventSeq: 1,
		Payload: &arcp.JobEvent{Kind: body.EventKind(), TS: time.Unix(1, 0), Body: body},
	}
}

func submit(s *arcp.JobSubmit) *arcp.Envelope { return &arcp.Envelope{ID: "i", Payload: s} }

func TestValidate(t *testing.T) {
	t.Parallel()
	zero, long := uint64(0), strings.Repeat("x", arcp.LimitIDLength+1)
	change := func(e *arcp.Envelope, f func(*arcp.Envelope)) *arcp.Envelope { f(e); return e }
	tests := []struct {
		name string
		e    *arcp.Envelope
		want []string
	}{
		{"fine", ping(), nil},
		{"no payload", &arcp.Envelope{ID: "i"}, []string{"/payload is missing"}},
		{"no id", change(ping(), func(e *arcp.Envelope) { e.ID = "" }), []string{"/id is empty"}},
		{"long id", change(ping(), func(e *arcp.Envelope) { e.ID = long }), []string{"/id is longer than 128 bytes"}},
		{"trace id", change(ping(), func(e *arcp.Envelope) { e.TraceID = "4BF9" }), []string{"/trace_id is not a well-formed trace id"}},
		{"number where none belongs", change(ping(), func(e *arcp.Envelope) { e.EventSeq = 1 }), []string{"/event_seq does not belong to this type"}},
		{"no number", change(event(&arcp.ThoughtBody{Text: "t"}), func(e *arcp.Envelope) { e.EventSeq = 0 }), []string{"/event_seq is missing"}},
		{
			"no job, no session", change(event(&arcp.ThoughtBody{Text: "t"}), func(e *arcp.Envelope) { e.JobID, e.SessionID = "", "" }),
			[]string{"/job_id is missing", "/session_id is missing"},
		},
		{
			"extension key", change(ping(), func(e *arcp.Envelope) { e.Extensions = arcp.RawJSON(`{"x-vendor.a.b":1,"trace/x":2}`) }),
			[]string{"/extensions/trace~1x is not a vendor name"},
		},
		{"agent", submit(&arcp.JobSubmit{Agent: "Not OK"}), []string{"/payload/agent is not a well-formed agent ref"}},
		{
			"raw value", submit(&arcp.JobSubmit{Agent: "a", Input: arcp.RawJSON(`{"a":1,"a":2}`)}),
			[]string{"/payload/input is not well-formed JSON: offset 7: duplicate member name"},
		},
		{"zero that is there", submit(&arcp.JobSubmit{Agent: "a", MaxRuntimeSec: &zero}), []string{"/payload/max_runtime_sec is below 1"}},
		{
			"local time", submit(&arcp.JobSubmit{Agent: "a", LeaseConstraints: &arcp.LeaseConstraints{ExpiresAt: time.Unix(1, 0).In(time.FixedZone("", 3600))}}),
			[]string{"/payload/lease_constraints/expires_at is not in UTC"},
		},
		{"enum", event(&arcp.LogBody{Level: "loud", Message: "m"}), []string{"/payload/body/level is none of trace, debug, info, warn, error, critical"}},
		{"vendor kind", event(&arcp.UnknownBody{Kind: "x-vendor.a.b"}), nil},
		{"kind of nobody", event(&arcp.UnknownBody{Kind: "thoughts"}), []string{"/payload/kind is neither known nor a vendor name"}},
		{"number", event(&arcp.MetricBody{Name: "n", Value: "1,5"}), []string{"/payload/body/value is not a number"}},
		{"negative", event(&arcp.ProgressBody{Current: -1}), []string{"/payload/body/current is below 0"}},
		{"neither", event(&arcp.ToolResultBody{CallID: "c"}), []string{"/payload/body needs exactly one of result, error"}},
		{
			"both", event(&arcp.ToolResultBody{CallID: "c", Result: arcp.RawJSON("null"), Error: &arcp.ToolError{Code: "X", Message: "m"}}),
			[]string{"/payload/body needs exactly one of result, error"},
		},
		{
			"final status", &arcp.Envelope{
				ID: "i", SessionID: "s", JobID: "j", EventSeq: 1,
				Payload: &arcp.JobResult{JobID: "j", FinalStatus: arcp.StatusError, ResultID: "r", Result: arcp.RawJSON("1")},
			},
			[]string{"/payload/final_status is none of success", "/payload has more than one of result, result_id"},
		},
		{
			"element of a list", &arcp.Envelope{ID: "i", SessionID: "s", Payload: &arcp.SessionJobs{
				RequestID: "r",
				Jobs:      []arcp.JobSummary{{JobID: "j", Agent: "a", Status: arcp.StatusRunning, CreatedAt: time.Unix(1, 0)}, {JobID: "k", Agent: "a", Status: "lost", CreatedAt: time.Unix(1, 0)}},
			}},
			[]string{"/payload/jobs/1/status is none of pending, running, success, error, cancelled, timed_out"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.e.Validate()
			var found *arcp.ValidationError
			if err != nil && !errors.As(err, &found) {
				t.Fatalf("Validate() = %v, want a *ValidationError", err)
			}
			var got []string
			if found != nil {
				for _, f := range found.Findings {
					got = append(got, f.String())
				}
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("Validate() finds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if err != nil && !errors.Is(err, arcp.CodeInvalidRequest) {
				t.Error("the error is not INVALID_REQUEST")
			}
		})
	}
}

// What JSON cannot say is an error of the encoder that names the member.
func TestUnencodable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		e    *arcp.Envelope
		want string
	}{
		{"text", event(&arcp.ThoughtBody{Text: "\xff"}), "/payload/body/text has a value that JSON cannot hold"},
		{"number", event(&arcp.MetricBody{Name: "n", Value: "NaN"}), "/payload/body/value has a value that JSON cannot hold"},
		{"year", event(&arcp.TraceSpanBody{SpanID: "s", Name: "n", StartAt: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)}), "/payload/body/start_at has"},
		{"no body", &arcp.Envelope{ID: "i", Payload: &arcp.JobEvent{}}, "/payload/body is missing"},
		{"no payload", &arcp.Envelope{ID: "i"}, "/payload is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := tt.e.AppendJSON(nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("AppendJSON = %v, want %s", err, tt.want)
			}
		})
	}
}

// guards H1: a secret shows in no way of printing the struct that holds it, and is written to the wire.
func TestRedaction(t *testing.T) {
	t.Parallel()
	const canary = "canary-7f3a"
	secret := arcp.MakeSecret(canary)
	holders := []any{
		arcp.Auth{Token: secret},
		&arcp.Auth{Token: secret},
		arcp.Credential{Value: secret},
		&arcp.StatusBody{Value: secret},
		&arcp.SessionHello{Auth: arcp.Auth{Token: secret}}, &arcp.SessionWelcome{ResumeToken: secret},
		&arcp.JobAccepted{Credentials: []arcp.Credential{{Value: secret}}}, &arcp.SessionResume{ResumeToken: secret},
		arcp.Envelope{Payload: &arcp.SessionHello{Auth: arcp.Auth{Token: secret}, Resume: &arcp.Resume{ResumeToken: secret}}},
	}
	for _, h := range holders {
		var b strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&b, verb+"\n", h)
		}
		for _, handler := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
			slog.New(handler).Info("shown", "h", h)
		}
		if strings.Contains(b.String(), canary) || strings.Contains(b.String(), fmt.Sprintf("%x", canary)) {
			t.Errorf("%T shows its secret:\n%s", h, b.String())
		}
	}
	out, err := (&arcp.Auth{Token: secret}).AppendJSON(nil)
	if err != nil || string(out) != `{"token":"`+canary+`"}` {
		t.Errorf("AppendJSON = %s, %v", out, err)
	}
}
