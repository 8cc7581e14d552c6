package invariant

import (
	"fmt"
	"slices"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
)

func chunk(result string, n uint64, more bool) *arcp.JobEvent {
	return &arcp.JobEvent{Kind: arcp.KindResultChunk, TS: at, Body: &arcp.ResultChunkBody{
		ResultID: result, ChunkSeq: n, Data: "x", Encoding: arcp.EncodingUTF8, More: more,
	}}
}

func restart(attempt int) *arcp.JobEvent {
	return &arcp.JobEvent{Kind: arcp.KindStatus, TS: at, Body: &arcp.StatusBody{
		Phase: arcp.PhaseRestarted, Details: arcp.RawJSON(fmt.Sprintf(`{"attempt":%d}`, attempt)),
	}}
}

func nodeLost(retryable bool) *arcp.JobError {
	return &arcp.JobError{
		JobID: job1, FinalStatus: arcp.StatusError, Code: arcp.CodeInternalError, Message: "lost", Retryable: retryable, Details: arcp.RawJSON(`{"reason":"node_lost"}`),
	}
}

func streamed(result string) *arcp.JobResult {
	size := uint64(1)
	return &arcp.JobResult{JobID: job1, FinalStatus: arcp.StatusSuccess, ResultID: result, ResultSize: &size, CompletedAt: at}
}

// What a log may say of its runs, and what it may not.
func TestRuns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		died bool
		bad  bool
		log  []arcp.Payload
	}{
		{"runs again", true, false, []arcp.Payload{chunk("r1", 0, true), restart(2), restart(3), chunk("r2", 0, false), streamed("r2")}},
		{"ends for want of a runtime", true, false, []arcp.Payload{thought("a"), nodeLost(true)}},
		{"restarts by itself", false, true, []arcp.Payload{restart(2), success(job1)}},
		{"counts a run twice", true, true, []arcp.Payload{restart(2), restart(2), success(job1)}},
		{"counts no first run", true, true, []arcp.Payload{restart(1), success(job1)}},
		{"goes on with a stream", true, true, []arcp.Payload{chunk("r1", 0, true), restart(2), chunk("r1", 1, false), streamed("r1")}},
		{"ends with a stream of another run", true, true, []arcp.Payload{chunk("r1", 0, false), restart(2), streamed("r1")}},
		{"is lost with all runtimes alive", false, true, []arcp.Payload{nodeLost(true)}},
		{"is lost for good", true, true, []arcp.Payload{nodeLost(false)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &tape{t: t}
			all := []arcp.Feature{arcp.FeatureProgress, arcp.FeatureResultChunk}
			p.client("hello", 1, "", hello(alice, all...))
			p.runtime("welcome", 1, sessA, "", welcome(tokenA1, all...))
			p.client("submit", 1, sessA, &arcp.JobSubmit{Agent: "a"})
			p.runtime("accepted", 1, sessA, job1, accepted(job1, "submit"))
			for i, e := range tt.log {
				p.event(fmt.Sprint("e", i+1), 1, sessA, uint64(i+1), job1, uint64(i+1), e)
			}
			o := options()
			o.Died = tt.died
			found := Check(p.trace, o)
			if broken := slices.ContainsFunc(found, func(v Violation) bool { return v.Rule == OneEnd }); broken != tt.bad || len(found) > 0 && !tt.bad {
				t.Errorf("Check = %v, want a violation of %s: %v", found, OneEnd, tt.bad)
			}
		})
	}
}

// TestForgottenAnswers: where little is kept for a session, an answer that is owed may be missing, and nothing else.
func TestForgottenAnswers(t *testing.T) {
	t.Parallel()
	p := good(t)
	p.drop("watched")
	p.drop("reaccepted1")
	o := options()
	o.Forgetful = true
	if found := Check(p.trace, o); len(found) > 0 {
		t.Errorf("Check = %v, want nothing", found)
	}
	p.drop("watch")
	if found := Check(p.trace, o); len(found) == 0 {
		t.Error("Check finds nothing wrong with a watcher that never asked")
	}
}
