package arcp_test

import (
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// The spellings of older peers are read; the real name wins wherever it stands; what an alias needs is wanted then.
func TestHelloAliases(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, payload, want, problem string }{
		{"flat", `"client_name":"gem","client_version":"1","auth":{}`, "gem 1", ""},
		{"flat, version null", `"client_name":"gem","client_version":null,"auth":{}`, "gem ", ""},
		{"both, flat first", `"client_name":"gem","client":{"name":"real"},"client_version":"1","auth":{}`, "real ", ""},
		{"both, real first", `"client":{"name":"real"},"client_name":"gem","auth":{}`, "real ", ""},
		{"flat without name", `"client_version":"1","auth":{}`, "", "/payload/client_name required member is missing"},
		{"flat twice", `"client_name":"gem","client_name":"gem","auth":{}`, "", "duplicate"},
		{"flat resume", `"client":{"name":"a"},"auth":{},"resume_token":"rt","last_event_seq":7`, "a  rt 7", ""},
		{"flat resume beside null", `"client":{"name":"a"},"auth":{},"resume":null,"resume_token":"rt","last_event_seq":7`, "a  rt 7", ""},
		{"flat resume, all null", `"client":{"name":"a"},"auth":{},"resume_token":null,"last_event_seq":null`, "a ", ""},
		{"flat resume without number", `"client":{"name":"a"},"auth":{},"resume_token":"rt"`, "", "/payload/last_event_seq required member is missing"},
		{"short token", `"client":{"name":"a"},"auth":{},"resume":{"token":"rt","last_event_seq":0}`, "a  rt 0", ""},
		{"both tokens", `"client":{"name":"a"},"auth":{},"resume":{"token":"old","resume_token":"rt","last_event_seq":0}`, "a  rt 0", ""},
		{"no token", `"client":{"name":"a"},"auth":{},"resume":{"last_event_seq":0}`, "", "/payload/resume/resume_token required member is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := arcp.Decode([]byte(`{"arcp":"1.1","type":"session.hello","id":"i","payload":{` + tt.payload + `}}`))
			if tt.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tt.problem) {
					t.Errorf("Decode = %v, want %s", err, tt.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(e.Payload.(*arcp.SessionHello)); got != tt.want {
				t.Errorf("read %q, want %q", got, tt.want)
			}
		})
	}
}

func describe(h *arcp.SessionHello) string {
	s := h.Client.Name + " " + h.Client.Version
	if h.Resume != nil {
		s += " " + h.Resume.ResumeToken.Reveal() + " " + string(rune('0'+h.Resume.LastEventSeq))
	}
	return s
}

// A filter takes one status alone.
func TestLoneStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []string{`"running"`, `["running"]`} {
		e, err := arcp.Decode([]byte(`{"arcp":"1.1","type":"session.list_jobs","id":"i","payload":{"filter":{"status":` + status + `}}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Payload.(*arcp.SessionListJobs).Filter.Status; len(got) != 1 || got[0] != arcp.StatusRunning {
			t.Errorf("status %s was read as %v", status, got)
		}
	}
}
