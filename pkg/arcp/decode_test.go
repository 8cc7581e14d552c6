package arcp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// guards I7: every spelling that two readers could take differently is refused, and each finding has its place.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const head = `{"arcp":"1.1","type":"session.ping","session_id":"s","id":"i"`
	tests := []struct {
		name, frame string
		want        []string
	}{
		{"empty", ``, []string{"unexpected end of text"}},
		{"no object", `[]`, []string{"must be an object, not an array"}},
		{"cut off", head, []string{"unexpected end of text"}},
		{"text behind", head + `,"payload":{"nonce":"n"}} x`, []string{"text after the end of the value"}},
		{"all missing", `{}`, []string{
			"/arcp required member is missing", "/type required member is missing",
			"/id required member is missing", "/payload required member is missing",
		}},
		{"wrong types, all at once", `{"arcp":"1.1","type":"job.submit","session_id":7,"id":[],"payload":{"agent":null,"max_runtime_sec":"1","lease_request":{"fs.read":"x"}}}`, []string{
			"/session_id must be a string, not a number", "/id must be a string, not an array",
			"/payload/agent must be a string, not null", "/payload/max_runtime_sec must be a number, not a string",
			"/payload/lease_request/fs.read must be an array, not a string",
		}},
		{"nested missing", `{"arcp":"1.1","type":"session.hello","id":"i","payload":{"client":{},"auth":{}}}`, []string{"/payload/client/name required member is missing"}},
		{"payload before type", `{"payload":{"nonce":7},"type":"session.ping","arcp":"1.1","id":"i"}`, []string{"/payload/nonce must be a string, not a number"}},
		{"body before kind", `{"arcp":"1.1","type":"job.event","id":"i","payload":{"body":{"text":7},"ts":"2026-01-01T00:00:00Z","kind":"thought"}}`, []string{"/payload/body/text must be a string, not a number"}},
		{"another version", `{"arcp":"1.0","type":"session.ping","id":"i","payload":{"nonce":"n"}}`, []string{"/arcp is not the protocol version 1.1"}},
		{"version of another type", `{"arcp":1.1,"type":"session.ping","id":"i","payload":{"nonce":"n"}}`, []string{"/arcp must be a string, not a number"}},
		{"required null", head + `,"payload":null}`, []string{"/payload must be an object, not null"}},
		{"twice", head + `,"id":"j","payload":{"nonce":"n"}}`, []string{"/id duplicate member name"}},
		{"twice, escaped", head + `,"payload":{"nonce":"n","\u006eonce":"m"}}`, []string{"/payload/nonce duplicate member name"}},
		{"unknown twice", head + `,"payload":{"nonce":"n","a":1,"b":2,"a":3}}`, []string{"/payload/a duplicate member name"}},
		{"twice deep in a value", `{"arcp":"1.1","type":"job.submit","id":"i","payload":{"agent":"a","input":{"x":[{"y":1,"y":2}]}}}`, []string{"/payload/input/x/0/y duplicate member name"}},
		{"Type beside type", head + `,"Type":"x","payload":{"nonce":"n"}}`, []string{"/Type member name that differs from a known one in case only"}},
		{"a long s", `{"arcp":"1.1","type":"session.ping","id":"i","ſession_id":"s","payload":{"nonce":"n"}}`, []string{"/ſession_id member name that differs from a known one in case only"}},
		{"invalid UTF-8", head + ",\"payload\":{\"nonce\":\"\xff\"}}", []string{"/payload/nonce invalid UTF-8"}},
		{"lone surrogate", head + `,"payload":{"nonce":"\ud800"}}`, []string{"/payload/nonce lone surrogate in a string"}},
		{"control character", head + ",\"payload\":{\"nonce\":\"a\nb\"}}", []string{"/payload/nonce control character in a string"}},
		{"comma first", `{,"arcp":"1.1"}`, []string{"expected a member name"}},
		{"comma first inside", head + `,"payload":{,"nonce":"n"}}`, []string{"/payload expected a member name"}},
		{"comma last", head + `,"payload":{"nonce":"n",}}`, []string{"/payload comma before the end of the object"}},
		{"bad time", `{"arcp":"1.1","type":"job.event","id":"i","payload":{"kind":"thought","ts":"yesterday","body":{"text":"t"}}}`, []string{"/payload/ts must be an RFC 3339 time"}},
		{"number too long", `{"arcp":"1.1","type":"job.submit","id":"i","payload":{"agent":"a","input":1` + strings.Repeat("0", arcp.LimitNumberLength) + `}}`, []string{"/payload/input number longer than 64 bytes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := arcp.Decode([]byte(tt.frame))
			var found *arcp.DecodeError
			if !errors.As(err, &found) {
				t.Fatalf("Decode(%s) = %v, want a *DecodeError", tt.frame, err)
			}
			var got []string
			for _, f := range found.Findings {
				got = append(got, f.String())
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("Decode(%s) finds\n%s\nwant\n%s", tt.frame, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if !errors.Is(err, arcp.CodeInvalidRequest) || arcp.CodeOf(err) != arcp.CodeInvalidRequest {
				t.Errorf("the error is not INVALID_REQUEST")
			}
		})
	}
}

// The frame's own object is level 1: 64 levels are read, 65 are not.
func TestDecodeDepth(t *testing.T) {
	t.Parallel()
	frame := func(levels int) string {
		inner := levels - 2 // the frame and its payload
		return `{"arcp":"1.1","type":"job.submit","id":"i","payload":{"agent":"a","input":` +
			strings.Repeat("[", inner) + strings.Repeat("]", inner) + `}}`
	}
	if _, err := arcp.Decode([]byte(frame(arcp.LimitDepth))); err != nil {
		t.Errorf("64 levels: %v", err)
	}
	if _, err := arcp.Decode([]byte(frame(arcp.LimitDepth + 1))); err == nil || !strings.Contains(err.Error(), "64 levels") {
		t.Errorf("65 levels: %v, want a word about 64 levels", err)
	}
}

// Types and kinds that this package does not know survive, byte for byte, with the members it knows read.
func TestUnknownSurvives(t *testing.T) {
	t.Parallel()
	frame := ` {"payload" : {"b":1.50, "a":"\u00e9"}, "type":"x-vendor.acme.hello","arcp":"1.1","id":"i","later":[1 , 2]}` + "\n"
	e, err := arcp.Decode([]byte(frame))
	if err != nil {
		t.Fatal(err)
	}
	u, ok := e.Payload.(*arcp.UnknownMessage)
	if !ok || u.Type != "x-vendor.acme.hello" || e.Type != u.Type || e.ID != "i" || string(u.Payload) != `{"b":1.50, "a":"\u00e9"}` {
		t.Fatalf("decoded %+v, %+v", e, e.Payload)
	}
	if out, err := e.AppendJSON(nil); err != nil || string(out) != frame {
		t.Errorf("AppendJSON = %q, %v, want %q", out, err, frame)
	}

	event := `{"arcp":"1.1","type":"job.event","session_id":"s","event_seq":1,"id":"i","job_id":"j","payload":` +
		`{"kind":"x-vendor.acme.step","ts":"2026-11-24T12:00:00Z","body":{"n": 1.0,"m":[ ]}}}`
	if e, err = arcp.Decode([]byte(event)); err != nil {
		t.Fatal(err)
	}
	if b, ok := e.Payload.(*arcp.JobEvent).Body.(*arcp.UnknownBody); !ok || b.Kind != "x-vendor.acme.step" || string(b.Raw) != `{"n": 1.0,"m":[ ]}` {
		t.Fatalf("decoded %+v", e.Payload)
	}
	if out, err := e.AppendJSON(nil); err != nil || string(out) != event {
		t.Errorf("AppendJSON = %q, %v, want %q", out, err, event)
	}
	if err := e.Validate(); err != nil {
		t.Errorf("Validate() = %v", err)
	}
}

// null is absence for an optional member and a value of any JSON.
func TestNull(t *testing.T) {
	t.Parallel()
	e, err := arcp.Decode([]byte(`{"arcp":"1.1","type":"job.submit","id":"i","trace_id":null,"event_seq":null,"payload":` +
		`{"agent":"a","input":null,"lease_request":null,"lease_constraints":null,"idempotency_key":null,"max_runtime_sec":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	s := e.Payload.(*arcp.JobSubmit)
	if s.Input.String() != "null" || s.LeaseRequest != nil || s.LeaseConstraints != nil || s.IdempotencyKey != "" || s.MaxRuntimeSec != nil {
		t.Errorf("decoded %+v", s)
	}
	if out, err := e.AppendJSON(nil); err != nil || !strings.HasSuffix(string(out), `"payload":{"agent":"a","input":null}}`) {
		t.Errorf("AppendJSON = %s, %v", out, err)
	}
}

// guards E8: a lease ends at a time written with Z; the same moment written otherwise is read and not valid.
func TestExpiresAtIsZulu(t *testing.T) {
	t.Parallel()
	for text, valid := range map[string]bool{
		"2026-11-24T12:00:00Z": true, "2026-11-24T12:00:00.5Z": true,
		"2026-11-24T12:00:00+00:00": false, "2026-11-24T12:00:00-00:00": false, "2026-11-24T13:00:00+01:00": false,
	} {
		e, err := arcp.Decode([]byte(`{"arcp":"1.1","type":"job.submit","id":"i","payload":{"agent":"a","lease_constraints":{"expires_at":"` + text + `"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Validate(); (err == nil) != valid {
			t.Errorf("expires_at %s: Validate() = %v, want valid %v", text, err, valid)
		}
	}
}
