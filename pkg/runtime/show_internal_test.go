package runtime

import (
	"strings"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// TestShow: what is in a store can be looked at, secrets cannot. guards H1.
func TestShow(t *testing.T) {
	t.Parallel()
	st := store.NewMemory()
	s := journal.New(st, journal.Limits{FrameBytes: 1 << 20, StagedBytes: 1 << 20, LogBytes: 1 << 20, UnwrittenBytes: 1 << 20, ViewBytes: 1 << 20})
	accepted, err := (&arcp.Envelope{ID: "m1", SessionID: "sess_1", JobID: "job_1", Payload: &arcp.JobAccepted{
		JobID: "job_1", Agent: "a@1", AcceptedAt: time.Unix(1, 0),
		Credentials: []arcp.Credential{{ID: "c1", Scheme: "bearer", Value: arcp.MakeSecret("hush <one>"), Endpoint: "https://example.com/"}},
	}}).AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.OpenView("n", "sess_1", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.OpenLog(&journal.NewLog{Node: "n", JobID: "job_1", Accepted: accepted, Owner: v})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []arcp.EventBody{
		&arcp.LogBody{Level: arcp.LevelInfo, Message: "working"},
		&arcp.StatusBody{Phase: arcp.PhaseCredentialRotated, ID: "c1", Value: arcp.MakeSecret("hush two")},
	} {
		if _, err := l.Append(t.Context(), &arcp.JobEvent{Kind: body.EventKind(), TS: time.Unix(2, 0), Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Note(journal.TypeCancel, []byte("no longer needed")); err != nil {
		t.Fatal(err)
	}
	all := shownRecords(t, st, store.Key{Kind: store.KindJob, ID: "job_1"}) + shownRecords(t, st, store.Key{Kind: store.KindSession, ID: "sess_1"})
	for _, want := range []string{
		`{"job.accepted":`, `{"job.event":{"id":"job_1.1","job_id":"job_1",`, `"working"`, `"[redacted]"`,
		`{"cancel":{"text":"no longer needed"}}`, `{"attach":{"text":"job_1","counts":[1,0]}}`, `{"span":{"counts":[1,1,1,1]}}`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in\n%s", want, all)
		}
	}
	if strings.Contains(all, "hush") || strings.Count(all, "[redacted]") != 2 {
		t.Errorf("secrets are shown:\n%s", all)
	}
}

// shownRecords is what Show makes of the records of a key, a line each.
func shownRecords(t *testing.T, st store.Store, key store.Key) string {
	t.Helper()
	segments, err := st.Read(t.Context(), key, 1, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range segments {
		for j := range segments[i].Len() {
			shown := Show(key, false, segments[i].Record(j))
			if shown == nil {
				t.Errorf("%v: record %q is not shown", key, segments[i].Record(j))
			}
			b.Write(append(shown, '\n'))
		}
	}
	return b.String()
}

func TestShowSnapshots(t *testing.T) {
	t.Parallel()
	hash := arcp.HashToken("hush")
	session, err := (&session{principal: "alice", current: hash}).snapshot()
	if err != nil {
		t.Fatal(err)
	}
	got := string(Show(store.Key{Kind: store.KindSession, ID: "s"}, true, session))
	if !strings.Contains(got, `"principal":"alice"`) || strings.Contains(got, hash.String()) {
		t.Errorf("a session is shown as %s", got)
	}
	job := `{"principal":"bob","session":"s","accepted":{"credentials":["hush"]},"message":"m","request":"r","run":{"input":{"a":1},"attempt":2}}`
	got = string(Show(store.Key{Kind: store.KindJob, ID: "j"}, true, []byte(job)))
	if want := `{"principal":"bob","session":"s","attempt":2,"input":{"a":1}}`; got != want {
		t.Errorf("a job is shown as %s, want %s", got, want)
	}
	for _, key := range []store.Key{{Kind: store.KindJob}, {Kind: store.KindSession}, {Kind: store.KindIdem}} {
		if got := Show(key, true, []byte("nonsense")); got != nil {
			t.Errorf("%v: nonsense is shown as %s", key, got)
		}
		if got := Show(key, false, []byte{99, 1, 2}); got != nil {
			t.Errorf("%v: an unknown record is shown as %s", key, got)
		}
	}
}
