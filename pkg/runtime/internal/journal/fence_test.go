package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/storetest"
)

// fenced is a sequencer whose keys another node may take.
type fenced struct {
	t       *testing.T
	store   store.Store
	seq     *Sequencer
	logs    []*Log
	views   []*View
	readers []*Reader
	got     []string // what each view was given, in short
}

func newFenced(t *testing.T, s store.Store, logs, views int) *fenced {
	t.Helper()
	if _, err := s.Join(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	f := &fenced{t: t, store: s, seq: New(s, testLimits), got: make([]string, views)}
	for i := range views {
		gates := gateAll
		if i%2 == 1 {
			gates = GateNone
		}
		v, err := f.seq.OpenView("n", fmt.Sprintf("sess_%d", i), gates, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, _, _ := v.Resume(0)
		f.views, f.readers = append(f.views, v), append(f.readers, r)
	}
	for i := range logs {
		l, err := f.seq.OpenLog(&NewLog{Node: "n", JobID: fmt.Sprintf("job_%d", i), Accepted: []byte("{}"), Owner: f.views[0]})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range f.views[1:] {
			_ = f.seq.Attach(v, l, 0, noted)
		}
		f.logs = append(f.logs, l)
	}
	return f
}

// batch stages with nobody committing, takes keys away, and lets all be committed at once.
func (f *fenced) batch(stage func(), take ...store.Key) {
	f.t.Helper()
	f.seq.run.Lock()
	stage()
	for _, k := range take {
		if _, _, err := f.store.Acquire(f.t.Context(), "other", k, 1); err != nil {
			f.t.Fatal(err)
		}
	}
	f.seq.unlock()
}

func (f *fenced) emit(log int, text string) {
	f.t.Helper()
	if _, err := f.logs[log].Append(f.t.Context(), thought(text)); err != nil && !errors.Is(err, ErrLost) {
		f.t.Fatal(err)
	}
}

// progress emits what only some views have negotiated.
func (f *fenced) progress(log int) {
	f.t.Helper()
	ev := &arcp.JobEvent{TS: time.Unix(0, 0), Kind: arcp.KindProgress, Body: &arcp.ProgressBody{Current: 1}}
	if _, err := f.logs[log].Append(f.t.Context(), ev); err != nil && !errors.Is(err, ErrLost) {
		f.t.Fatal(err)
	}
}

// read returns what a view is given: seq, job and index of each frame.
func (f *fenced) read(view int) (string, error) {
	buf, ends, _, err := f.readers[view].AppendFrames(nil, nil, 1<<20, 1000)
	var got []string
	start := 0
	for _, end := range ends {
		e, decodeErr := arcp.Decode(buf[start:end])
		if decodeErr != nil {
			f.t.Fatal(decodeErr)
		}
		got = append(got, fmt.Sprintf("%d=%s", e.EventSeq, strings.TrimPrefix(e.ID, "job_")))
		start = end
	}
	return strings.Join(got, " "), err
}

// TestFencedLogLeavesNoTrace: of one batch the records of a job that was taken away are gone, and all else has gap-free numbers.
func TestFencedLogLeavesNoTrace(t *testing.T) {
	t.Parallel()
	for lost, want := range []string{"1=1.1 2=2.1 3=2.2", "1=0.1 2=0.2 3=2.1 4=2.2", "1=0.1 2=0.2 3=1.1"} {
		f := newFenced(t, store.NewMemory(), 3, 2)
		f.batch(func() {
			for _, l := range []int{0, 1, 2, 2, 0} {
				f.emit(l, "x")
			}
		}, f.logs[lost].key)
		for view := range f.views {
			if got, err := f.read(view); got != want || err != nil {
				t.Errorf("without job %d view %d got %s, %v, want %s", lost, view, got, err, want)
			}
		}
		if _, err := f.logs[lost].Append(t.Context(), thought("late")); !errors.Is(err, ErrLost) {
			t.Errorf("Append to a lost log = %v", err)
		}
		if err := f.logs[lost].Flush(t.Context()); !errors.Is(err, ErrLost) {
			t.Errorf("Flush of a lost log = %v", err)
		}
		if head, _ := f.store.Lookup(t.Context(), f.logs[lost].key); head.Records != 1 {
			t.Errorf("the store has %d records of the lost job, want the accepted only", head.Records)
		}
		f.emit((lost+1)%3, "after")
		if got, err := f.read(0); strings.Count(got, "=") != 1 || err != nil {
			t.Errorf("after the loss the view got %q, %v, want one event of another job", got, err)
		}
	}
}

// TestFencedViewLosesNobodyElse: the view of a session that was taken away ends, the log and the other view go on.
func TestFencedViewLosesNobodyElse(t *testing.T) {
	t.Parallel()
	f := newFenced(t, store.NewMemory(), 1, 3)
	f.batch(func() { f.emit(0, "x") }, f.views[1].key)
	for view := range f.views {
		got, err := f.read(view)
		if view == 1 {
			if got != "" || !errors.Is(err, ErrLost) {
				t.Errorf("the lost view got %q, %v", got, err)
			}
		} else if got != "1=0.1" || err != nil {
			t.Errorf("view %d got %q, %v", view, got, err)
		}
	}
	if n := len(*f.logs[0].views.Load()); n != 2 {
		t.Errorf("%d views are attached, want 2", n)
	}
	if err := f.seq.Save(f.views[1], []byte("x")); !errors.Is(err, ErrLost) {
		t.Errorf("Save of the lost view = %v", err)
	}
	if _, err := f.seq.OpenLog(&NewLog{Node: "n", JobID: "job_9", Accepted: []byte("{}"), Owner: f.views[1]}); !errors.Is(err, ErrLost) {
		t.Errorf("OpenLog for the lost view = %v", err)
	}
	if _, err := f.store.Lookup(t.Context(), store.Key{Kind: store.KindJob, ID: "job_9"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the job of a refused OpenLog is in the store: %v", err)
	}
}

// TestFencingModel takes random keys away from batches: what remains is numbered as if they had never been in them.
func TestFencingModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 3))
			f := newFenced(t, store.NewMemory(), 5, 4)
			var emitted [5][]bool // of each job's events, whether they are gated
			gone := map[store.Key]bool{}
			for range 20 {
				var take []store.Key
				for range rng.IntN(3) {
					k := f.logs[rng.IntN(5)].key
					if rng.IntN(3) == 0 {
						k = f.views[rng.IntN(4)].key
					}
					if !gone[k] && rng.IntN(2) == 0 {
						gone[k] = true
						take = append(take, k)
					}
				}
				f.batch(func() {
					for range rng.IntN(12) * rng.IntN(12) {
						l, gated := rng.IntN(5), rng.IntN(2) == 0
						if gated {
							f.progress(l)
						} else {
							f.emit(l, strings.Repeat("x", rng.IntN(300)))
						}
						if rng.IntN(5) == 0 {
							_ = f.logs[l].Note(TypeCancel, []byte("note"))
						}
						if !gone[f.logs[l].key] || slices.Contains(take, f.logs[l].key) {
							emitted[l] = append(emitted[l], gated)
						}
					}
				}, take...)
				for _, k := range take { // what was staged for it in this batch is not to be seen
					for l := range f.logs {
						if f.logs[l].key == k {
							emitted[l] = emitted[l][:f.logs[l].Committed()]
						}
					}
				}
			}
			for i, v := range f.views {
				f.check(i, v, emitted, gone[v.key])
			}
		})
	}
}

// check reads all a view has: numbers without a gap, each job's events each once and in order, up to what was committed of it.
func (f *fenced) check(i int, v *View, emitted [5][]bool, gone bool) {
	f.t.Helper()
	var index [5]int
	skip := func(l int) { // what the view has not negotiated
		for index[l] < len(emitted[l]) && emitted[l][index[l]] && v.gates == GateReveal {
			index[l]++
		}
	}
	seq := 0
	if gone { // should nothing have been committed for it since
		_ = f.seq.Save(v, []byte("x"))
	}
	for {
		got, err := f.read(i)
		if gone {
			if !errors.Is(err, ErrLost) || !v.lost {
				f.t.Errorf("lost view %d: %q, %v", i, got, err)
			}
			return
		}
		if err != nil {
			f.t.Fatal(err)
		}
		if got == "" {
			break
		}
		for frame := range strings.SplitSeq(got, " ") {
			var s, l, k int
			if _, err := fmt.Sscanf(frame, "%d=%d.%d", &s, &l, &k); err != nil {
				f.t.Fatal(err)
			}
			seq++
			skip(l)
			index[l]++
			if s != seq || k != index[l] {
				f.t.Fatalf("view %d: frame %s, want number %d and index %d", i, frame, seq, index[l])
			}
		}
	}
	for l := range index {
		if skip(l); index[l] != len(emitted[l]) {
			f.t.Errorf("view %d got job %d up to %d, want %d", i, l, index[l], len(emitted[l]))
		}
	}
	fold := NewFold(v.key.ID)
	if err := fold.Read(f.t.Context(), f.store); err != nil || fold.last != uint64(seq) {
		f.t.Errorf("the store has view %d up to %d, %v, want %d", i, fold.last, err, seq)
	}
	next := uint64(1)
	for k := range fold.spans {
		if fold.spans[k].seq != next {
			f.t.Errorf("a stored span of view %d begins at %d, want %d", i, fold.spans[k].seq, next)
		}
		next = fold.spans[k].last() + 1
	}
}

// TestLostLogGoesOnFromItsNewOwner: the views of a log that was taken away are given what the new owner writes.
func TestLostLogGoesOnFromItsNewOwner(t *testing.T) {
	t.Parallel()
	s := storetest.Split(store.NewMemory(), rand.New(rand.NewPCG(1, 2)))
	s.SetOdds(0)
	f := newFenced(t, s, 1, 1)
	f.emit(0, "one")
	other := New(s, testLimits)
	there := other.NewRemote("job_0", "")
	if err := there.Load(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	epoch, head, err := s.Acquire(t.Context(), "other", there.key, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := there.Take(epoch, head.Records); err != nil {
		t.Fatal(err)
	}
	f.emit(0, "stale")
	if _, err := there.Append(t.Context(), thought("two")); err != nil {
		t.Fatal(err)
	}
	if err := f.logs[0].Load(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got, err := f.read(0); got != "1=0.1 2=0.2" || err != nil {
		t.Errorf("the view got %q, %v", got, err)
	}
	for _, l := range []*Log{there, f.logs[0]} {
		text := ""
		if err := l.Records(1, func(_ uint64, _ Type, tail []byte) bool { text += string(tail); return true }); err != nil || strings.Contains(text, "stale") {
			t.Errorf("%v in %s", err, text)
		}
	}
}

// TestSessionThatCameBack: the view that a session had here before it went away and came back does not cost it the new one.
func TestSessionThatCameBack(t *testing.T) {
	t.Parallel()
	f := newFenced(t, store.NewMemory(), 1, 1)
	old := f.views[0]
	epoch, _, err := f.store.Acquire(t.Context(), "other", old.key, 1)
	if err != nil {
		t.Fatal(err)
	}
	fold := NewFold(old.key.ID)
	if err := fold.Read(t.Context(), f.store); err != nil {
		t.Fatal(err)
	}
	v := f.seq.Adopt(fold, epoch, gateAll, 0, map[string]*Log{"job_0": f.logs[0]}, nil)
	f.readers[0], _, _ = v.Resume(0)
	f.emit(0, "x")
	if got, err := f.read(0); got != "1=0.1" || err != nil || !old.lost {
		t.Errorf("the view got %q, %v; the old one is lost: %v", got, err, old.lost)
	}
}

// TestAdoptedOverWhatIsLost: what a log dropped before its session was taken up, unseen, is missed by whoever resumes the session. guards A6.
func TestAdoptedOverWhatIsLost(t *testing.T) {
	t.Parallel()
	for events, want := range map[int]Coverage{5: Covered, 200: TooOld} {
		f := newFenced(t, store.NewMemory(), 1, 1)
		f.seq.limits.LogBytes = 32 << 10
		f.emit(0, "seen")
		epoch, _, err := f.store.Acquire(t.Context(), "other", f.views[0].key, 1)
		if err != nil {
			t.Fatal(err)
		}
		for range events {
			f.emit(0, strings.Repeat("x", 1<<10))
		}
		fold := NewFold(f.views[0].key.ID)
		if err := fold.Read(t.Context(), f.store); err != nil {
			t.Fatal(err)
		}
		v := f.seq.Adopt(fold, epoch, gateAll, 0, map[string]*Log{"job_0": f.logs[0]}, nil)
		if got := v.Covers(1); got != want {
			t.Errorf("after %d events unseen, the oldest kept being %d, a resume finds %d, want %d", events, f.logs[0].First(), got, want)
		}
		if tail := f.seq.Tail(v); tail != 1+uint64(events) {
			t.Errorf("the view ends at %d, want all %d events numbered", tail, 1+events)
		}
	}
}
