package spec_test

import (
	"os"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/gen/spec"
)

// The protocol's own description loads, with everything the draft has.
func TestLoadProtocol(t *testing.T) {
	t.Parallel()
	p, err := spec.Load(os.DirFS("../.."), "spec")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, m := range p.Messages {
		have["message "+m.Wire] = true
	}
	for _, k := range p.Kinds {
		have["kind "+k.Wire] = true
	}
	for _, c := range p.Codes {
		have["code "+c.Wire] = true
	}
	for _, f := range p.Features {
		have["feature "+f.Wire] = true
	}
	for what, names := range required() {
		for name := range strings.FieldsSeq(names) {
			if !have[what+" "+name] {
				t.Errorf("the spec has no %s %s", what, name)
			}
		}
	}
	if got := p.Messages[0].Go; got != "SessionHello" {
		t.Errorf("first message is %s, want SessionHello", got)
	}
}

// required is what the draft and the peers have; the spec may have more.
func required() map[string]string {
	return map[string]string{
		"message": `session.hello session.resume session.welcome session.error session.close session.closed session.bye
			session.ping session.pong session.ack session.list_jobs session.jobs
			job.submit job.accepted job.event job.result job.error job.cancel job.cancelled job.subscribe job.subscribed
			job.unsubscribe`,
		"kind": `log thought tool_call tool_result status metric artifact_ref delegate progress result_chunk trace_span`,
		"code": `PERMISSION_DENIED LEASE_SUBSET_VIOLATION JOB_NOT_FOUND DUPLICATE_KEY AGENT_NOT_AVAILABLE
			AGENT_VERSION_NOT_AVAILABLE CANCELLED TIMEOUT RESUME_WINDOW_EXPIRED HEARTBEAT_LOST LEASE_EXPIRED
			BUDGET_EXHAUSTED INVALID_REQUEST UNAUTHENTICATED INTERNAL_ERROR`,
		"feature": `heartbeat ack list_jobs subscribe lease_expires_at cost.budget model.use provisioned_credentials
			progress result_chunk agent_versions`,
	}
}
