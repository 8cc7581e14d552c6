package journal

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// TestStuckWriterHoldsNobodyUp: a writer took frames and never comes back. Large events are committed all the same, a flush is answered,
// and another view gets everything. guards B6, J1.
func TestStuckWriterHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	r, _, l := newTestView(t, testLimits)
	if _, err := l.Append(t.Context(), thought("first")); err != nil {
		t.Fatal(err)
	}
	if _, ends, more, err := r.AppendFrames(nil, nil, 1<<20, 64); len(ends) != 1 || !more || err != nil {
		t.Fatalf("AppendFrames = %d frames, %v, %v", len(ends), more, err)
	}
	large := strings.Repeat("x", 60<<10)
	for range 100 { // six times the cap of staged bytes
		if _, err := l.Append(t.Context(), thought(large)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Append(t.Context(), thought("left to the writer")); err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(t.Context()); err != nil || l.Committed() != 102 {
		t.Errorf("Flush = %v, %d committed, want 102", err, l.Committed())
	}
}

// TestPositionedFrames: what has no number is sent again to a client that may lack it, and forgotten once it cannot.
func TestPositionedFrames(t *testing.T) {
	t.Parallel()
	s := New(store.NewMemory(), testLimits)
	v, _ := s.OpenView("n", "sess_1", gateAll, nil)
	l, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_1", Accepted: []byte("accepted 1"), Owner: v})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_2", Accepted: []byte("accepted 2"), Owner: v}); err != nil {
		t.Fatal(err)
	}
	emit := func() {
		if _, err := l.Append(t.Context(), thought("x")); err != nil {
			t.Fatal(err)
		}
	}
	emit()
	_ = s.Position(v, []byte("answer"), s.Tail(v))
	emit()
	read := func(last uint64) string {
		r, frames, covered := v.Resume(last)
		if covered != Covered {
			return fmt.Sprint(covered)
		}
		if _, _, _, err := r.AppendFrames(nil, nil, 1<<20, 64); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s", frames)
	}
	for _, c := range []struct {
		last uint64
		want string
	}{
		{0, "[accepted 1 accepted 2 answer]"},
		{1, "[accepted 2 answer]"},
		{2, "[accepted 2]"},
		{3, "2"},
		{1, "[accepted 2 answer]"},
	} {
		if got := read(c.last); got != c.want {
			t.Errorf("Resume(%d) = %s, want %s", c.last, got, c.want)
		}
	}
	v.Ack(2)
	if n := len(v.positioned); n != 1 {
		t.Errorf("%d positioned frames are kept after all was acknowledged, want that of the job with no event", n)
	}
}

// TestHold keeps frames back until what must precede them is on its way.
func TestHold(t *testing.T) {
	t.Parallel()
	r, v, l := newTestView(t, testLimits)
	v.Hold()
	if _, err := l.Append(t.Context(), thought("x")); err != nil {
		t.Fatal(err)
	}
	if _, ends, _, _ := r.AppendFrames(nil, nil, 1<<20, 64); len(ends) != 0 {
		t.Errorf("%d frames while held", len(ends))
	}
	v.Release()
	if _, ends, _, _ := r.AppendFrames(nil, nil, 1<<20, 64); len(ends) != 1 {
		t.Errorf("%d frames after the release, want 1", len(ends))
	}
}

// TestLag tells of back pressure once a breach, and again only after the client caught up.
func TestLag(t *testing.T) {
	t.Parallel()
	limits := testLimits
	limits.LagEvents = 4
	r, v, l := newTestView(t, limits)
	phases := func() (n int) {
		buf, ends, _, err := r.AppendFrames(nil, nil, 1<<20, 1000)
		if err != nil {
			t.Fatal(err)
		}
		start := 0
		for _, end := range ends {
			if strings.Contains(string(buf[start:end]), arcp.PhaseBackPressure) {
				n++
			}
			start = end
		}
		return n
	}
	burst := func(n int) {
		for range n {
			if _, err := l.Append(t.Context(), thought("x")); err != nil {
				t.Fatal(err)
			}
		}
	}
	burst(20)
	if n := phases(); n != 0 {
		t.Errorf("told %d times before the first acknowledgement", n)
	}
	v.Ack(1)
	burst(20)
	if n := phases(); n != 1 {
		t.Errorf("told %d times of one breach", n)
	}
	_, written, _ := v.Bounds()
	v.Ack(written)
	burst(2)
	burst(20)
	if n := phases(); n != 1 {
		t.Errorf("told %d times of the second breach", n)
	}
}

// TestStoreFailsUnderEmitters: emitters at work while the store fails all get its error, and nobody hangs.
func TestStoreFailsUnderEmitters(t *testing.T) {
	t.Parallel()
	b := &failing{Store: store.NewMemory(), after: 100}
	s := New(b, testLimits)
	v, _ := s.OpenView("n", "sess_1", gateAll, nil)
	l, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_1", Accepted: []byte("{}"), Owner: v})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 4)
	for range 4 {
		go func() {
			for {
				if _, err := l.Append(t.Context(), thought("x")); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for range 4 {
		if err := <-done; !errors.Is(err, errDisk) {
			t.Errorf("Append = %v, want the store's error", err)
		}
	}
	if err := l.Flush(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("Flush = %v, want the store's error", err)
	}
}

// TestEveryGatedKindHasAGate: a kind that the spec ties to a feature must not reach a session without it.
func TestEveryGatedKindHasAGate(t *testing.T) {
	t.Parallel()
	for _, k := range arcp.EventKinds() {
		if rule, _ := arcp.KindRuleOf(k); rule.Feature != "" && GateOf(k) == GateNone {
			t.Errorf("kind %s needs feature %s, which has no gate", k, rule.Feature)
		}
	}
}

func noted(_, _ uint64) []byte { return []byte("answer") }

// TestAnswersAreBounded: a client that asks and asks, acknowledges nothing and gets no event, costs no more than the view's cap.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	s := New(store.NewMemory(), testLimits)
	v, _ := s.OpenView("n", "sess_1", gateAll, nil)
	if _, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_1", Accepted: []byte("accepted 1"), Owner: v}); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		_ = s.Position(v, fmt.Appendf(nil, "answer %d", i), 0)
	}
	_, frames, _ := v.Resume(0)
	kept := 0
	for _, f := range frames {
		kept += len(f)
	}
	if kept > testLimits.ViewBytes+20 || kept < testLimits.ViewBytes/3 {
		t.Errorf("%d bytes of answers are kept, want at most %d", kept, testLimits.ViewBytes)
	}
	if first, last := string(frames[0]), string(frames[len(frames)-1]); first != "accepted 1" || last != "answer 999" {
		t.Errorf("kept are %q to %q, want the accepted and the newest answer", first, last)
	}
	_ = s.Position(v, []byte(strings.Repeat("x", 2*testLimits.ViewBytes)), 0)
	if _, frames, _ := v.Resume(0); len(frames) != 2 {
		t.Errorf("%d frames are kept, want the accepted and the answer above the cap", len(frames))
	}
}

// TestReaderThatGoesLeavesNothingStaged: what an emitter left to a writer between two batches is committed when that writer's link ends.
func TestReaderThatGoesLeavesNothingStaged(t *testing.T) {
	t.Parallel()
	r, _, l := newTestView(t, testLimits)
	for _, text := range []string{"first", "left to the writer"} {
		if _, err := l.Append(t.Context(), thought(text)); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := r.AppendFrames(nil, nil, 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Append(t.Context(), thought("last")); err != nil {
		t.Fatal(err)
	}
	if n := l.Committed(); n != 2 {
		t.Fatalf("%d events are committed, want the last one left to the writer", n)
	}
	r.Close()
	if n := l.Committed(); n != 3 {
		t.Errorf("%d events are committed after the reader is gone, want 3", n)
	}
}

// TestParkedViewIsBounded: an emitter without end costs a session without a link no more than its job's log keeps. guards A17.
func TestParkedViewIsBounded(t *testing.T) {
	t.Parallel()
	limits := testLimits
	limits.LogBytes = 256 << 10
	mem := store.NewMemory()
	s := New(mem, limits)
	v, _ := s.OpenView("n", "sess_1", gateAll, nil)
	quiet, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_1", Owner: v})
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_2", Owner: v})
	if err != nil {
		t.Fatal(err)
	}
	r, _, _ := v.Resume(0)
	if _, err := quiet.Append(t.Context(), thought("quiet")); err != nil {
		t.Fatal(err)
	}
	r.Close()
	text := strings.Repeat("x", 2<<10)
	for range 30000 { // 60 MB
		if _, err := l.Append(t.Context(), thought(text)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(v.entries); n > 200 {
		t.Errorf("%d entries are kept of a log that keeps %d bytes", n, limits.LogBytes)
	}
	head, err := mem.Lookup(t.Context(), v.key)
	if n := head.Records + 1 - head.First; err != nil || n > 12000 { // two whole slabs of them and a bit
		t.Errorf("%d records are kept, %v", n, err)
	}
	if c := v.Covers(1); c != TooOld {
		t.Errorf("Covers(1) = %v, want TooOld", c)
	}
	tail := s.Tail(v)
	last := tail - 10
	r, _, covered := v.Resume(last)
	if covered != Covered {
		t.Fatalf("Resume(%d) = %v", last, covered)
	}
	if _, ends, _, err := r.AppendFrames(nil, nil, 1<<20, 64); err != nil || len(ends) != 10 {
		t.Errorf("%d frames, %v, want 10", len(ends), err)
	}
}

// TestRecordsOfSubscriptionsAreBounded: a session that subscribes and unsubscribes, and gets no event, leaves no records without end; what it
// holds is still found by whoever reads them.
func TestRecordsOfSubscriptionsAreBounded(t *testing.T) {
	t.Parallel()
	mem := store.NewMemory()
	s := New(mem, testLimits)
	v, _ := s.OpenView("n", "sess_1", gateAll, nil)
	own, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_1", Owner: v})
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_2"})
	if err != nil {
		t.Fatal(err)
	}
	for range 30000 {
		_ = s.Attach(v, other, Live, noted)
		s.Detach(v, other)
	}
	head, err := mem.Lookup(t.Context(), v.key)
	if n := head.Records + 1 - head.First; err != nil || n > 20000 {
		t.Errorf("%d records are kept of 60000, %v", n, err)
	}
	if _, err := own.Append(t.Context(), thought("x")); err != nil {
		t.Fatal(err)
	}
	f := NewFold("sess_1")
	if err := f.Read(t.Context(), mem); err != nil || len(f.Live()) != 1 || f.Live()[0] != "job_1" || f.last != 1 {
		t.Errorf("the records tell of %v up to number %d, %v; want job_1 and 1", f.Live(), f.last, err)
	}
}
