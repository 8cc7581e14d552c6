package journal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// The model: a log is a slice of texts, a view is a slice of (log, index), and reading is walking the slice.
type (
	modelLog struct {
		log   *Log
		texts []string
		gates []Gate
		given int // texts that have their numbers
	}
	modelView struct {
		view    *View
		reader  *Reader
		gates   Gate
		numbers []modelEntry // numbers[i] is seq i+1
		live    map[int]bool // logs attached, by position in world.logs
		written int
	}
	modelEntry struct{ log, index int }
)

type world struct {
	t     *testing.T
	rng   *rand.Rand
	store store.Store
	seq   *Sequencer
	other store.Node // that takes the views in the end
	logs  []*modelLog
	views []*modelView
	dirty []int // logs with texts not given, in the order they became so
}

var testLimits = Limits{FrameBytes: 1 << 20, StagedBytes: 1 << 20, LogBytes: 1 << 30, UnwrittenBytes: 1 << 30, ViewBytes: 2 << 10}

// TestModel holds logs and views against the slice model through random attaches, emits, cuts, detaches and evictions.
// guards A3, A4, A5, B1, B2, B4.
func TestModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, seed)
			for range 300 {
				w.step()
			}
			for _, v := range w.views {
				for w.read(v, 1<<20, 1<<10) {
				}
				w.checkStored(v)
			}
		})
	}
}

func newWorld(t *testing.T, seed uint64) *world {
	s := store.NewMemory()
	other, err := s.Join(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 7)), store: s, seq: New(s, testLimits), other: other}
	w.seq.trimRecords = seed % 64
	for i, gates := range []Gate{gateAll, GateNone, GateChunk} {
		v, err := w.seq.OpenView("n", fmt.Sprintf("sess_%d", i), gates, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, _, _ := v.Resume(0)
		w.views = append(w.views, &modelView{view: v, reader: r, gates: gates, live: map[int]bool{}})
	}
	return w
}

func (w *world) step() {
	v := w.views[w.rng.IntN(len(w.views))]
	switch n := w.rng.IntN(20); {
	case n == 0 || len(w.logs) == 0:
		w.open(v)
	case n < 10:
		w.emit(w.rng.IntN(len(w.logs)))
	case n < 12:
		w.attach(v, w.rng.IntN(len(w.logs)))
	case n == 12:
		w.detach(v, w.rng.IntN(len(w.logs)))
	case n == 13:
		w.cut(v)
	case n == 14:
		v.view.Ack(uint64(w.rng.IntN(len(v.numbers) + 2)))
	case n == 15:
		w.close(w.rng.IntN(len(w.logs)))
	default:
		w.read(v, 1+w.rng.IntN(1000), 1+w.rng.IntN(20))
	}
}

func (w *world) open(v *modelView) {
	id := len(w.logs)
	l, err := w.seq.OpenLog(&NewLog{Node: "n", JobID: fmt.Sprintf("job_%d", id), Accepted: []byte("{}"), Owner: v.view})
	if err != nil {
		w.t.Fatal(err)
	}
	w.drain()
	w.logs = append(w.logs, &modelLog{log: l})
	v.live[id] = true
}

func (w *world) emit(id int) {
	m := w.logs[id]
	text := fmt.Sprintf("%d:%0*d", id, w.rng.IntN(200)+1, len(m.texts))
	ev, gate := &arcp.JobEvent{TS: time.Unix(0, 0), Kind: arcp.KindThought, Body: &arcp.ThoughtBody{Text: text}}, GateNone
	if w.rng.IntN(4) == 0 {
		gate = GateProgress
		ev.Kind, ev.Body = arcp.KindProgress, &arcp.ProgressBody{Current: 1, Message: text}
	}
	if w.rng.IntN(8) == 0 {
		if err := m.log.Note(TypeCancel, []byte("note")); err != nil && err != ErrOver {
			w.t.Fatal(err)
		}
		w.settle()
	}
	index, err := m.log.Append(context.Background(), ev)
	if err == ErrOver {
		return
	}
	if err != nil || int(index) != len(m.texts)+1 {
		w.t.Fatalf("Append = %d, %v, want index %d", index, err, len(m.texts)+1)
	}
	w.staged(id, text, gate)
}

// staged notes a record; the sequencer gives the numbers when it comes to it, log by log.
func (w *world) staged(id int, text string, gate Gate) {
	m := w.logs[id]
	if m.given == len(m.texts) {
		w.dirty = append(w.dirty, id)
	}
	m.texts, m.gates = append(m.texts, text), append(m.gates, gate)
	w.settle()
}

// settle follows the sequencer where it left nothing staged.
func (w *world) settle() {
	if !w.seq.pending.Load() {
		w.drain()
	}
}

func (w *world) drain() {
	for _, id := range w.dirty {
		m := w.logs[id]
		for ; m.given < len(m.texts); m.given++ {
			for _, v := range w.views {
				if v.live[id] {
					v.give(id, m.given+1, m.gates[m.given])
				}
			}
		}
	}
	w.dirty = w.dirty[:0]
}

func (w *world) close(id int) {
	m := w.logs[id]
	if w.rng.IntN(10) > 0 {
		return
	}
	_, err := m.log.Close(&Terminal{Type: TypeError, Tail: func(dst []byte, index uint64) ([]byte, error) {
		return append(dst, `,"end":true}`...), nil
	}})
	if err == ErrOver {
		return
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.staged(id, "end", GateNone)
}

func (v *modelView) give(log, index int, gate Gate) {
	if gate&^v.gates == 0 {
		v.numbers = append(v.numbers, modelEntry{log, index})
	}
}

func (w *world) attach(v *modelView, id int) {
	m := w.logs[id]
	from := w.rng.IntN(len(m.texts) + 1)
	err := w.seq.Attach(v.view, m.log, uint64(from), func(cut, after uint64) []byte {
		w.drain()
		if int(cut) != len(m.texts) || int(after) != len(v.numbers) {
			w.t.Errorf("Attach says %d, %d, want %d, %d", cut, after, len(m.texts), len(v.numbers))
		}
		return []byte("answer")
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for i := from; i < len(m.texts); i++ {
		v.give(id, i+1, m.gates[i])
	}
	v.live[id] = true
}

func (w *world) detach(v *modelView, id int) {
	w.seq.Detach(v.view, w.logs[id].log)
	w.drain()
	delete(v.live, id)
}

func (w *world) cut(v *modelView) {
	last := w.rng.IntN(len(v.numbers) + 2)
	first, _, _ := v.view.Bounds()
	want := Covered
	switch {
	case last > len(v.numbers):
		want = TooNew
	case last+1 < int(first):
		want = TooOld
	}
	r, _, got := v.view.Resume(uint64(last))
	if got != want {
		w.t.Fatalf("Resume(%d) = %v, want %v (first %d, tail %d)", last, got, want, first, len(v.numbers))
	}
	if want != Covered {
		return
	}
	if buf, _, more, err := v.reader.AppendFrames(nil, nil, 1<<20, 64); len(buf) > 0 || more || err != nil {
		w.t.Fatalf("a replaced reader got %q, %v, %v", buf, more, err)
	}
	v.reader, v.written = r, last
}

// read takes some frames and holds each against the model; it says whether there were any.
func (w *world) read(v *modelView, maxBytes, maxFrames int) bool {
	buf, ends, more, err := v.reader.AppendFrames(nil, nil, maxBytes, maxFrames)
	if err != nil || len(ends) > maxFrames {
		w.t.Fatalf("AppendFrames = %d frames of %d, %v", len(ends), maxFrames, err)
	}
	w.drain()
	start := 0
	for _, end := range ends {
		if v.written >= len(v.numbers) {
			w.t.Fatalf("frame past the view's end: %s", buf[start:end])
		}
		w.checkFrame(v, buf[start:end])
		start = end
	}
	if !more && v.written < len(v.numbers) {
		w.t.Fatalf("no more, but %d numbers of %d are written", v.written, len(v.numbers))
	}
	return len(ends) > 0
}

func (w *world) checkFrame(v *modelView, frame []byte) {
	want := v.numbers[v.written]
	v.written++
	m := w.logs[want.log]
	text := m.texts[want.index-1]
	if text == "end" {
		exp := fmt.Sprintf(`{"arcp":"1.1","type":"job.error","session_id":"%s","event_seq":%d,"end":true}`, v.view.key.ID, v.written)
		if string(frame) != exp {
			w.t.Fatalf("frame = %s, want %s", frame, exp)
		}
		return
	}
	e, err := arcp.Decode(frame)
	if err != nil {
		w.t.Fatalf("%v in %s", err, frame)
	}
	got := ""
	switch b := e.Payload.(*arcp.JobEvent).Body.(type) {
	case *arcp.ThoughtBody:
		got = b.Text
	case *arcp.ProgressBody:
		got = b.Message
	}
	id := fmt.Sprintf("job_%d.%d", want.log, want.index)
	if got != text || e.ID != id || int(e.EventSeq) != v.written || e.SessionID != v.view.key.ID {
		w.t.Fatalf("frame %s, want seq %d, id %s, text %s", frame, v.written, id, text)
	}
}

// checkStored folds what the store keeps under the view's key, and goes on with it on another node: it must be the same numbers.
func (w *world) checkStored(v *modelView) {
	f := NewFold(v.view.key.ID)
	if err := f.Read(w.t.Context(), w.store); err != nil {
		w.t.Fatal(err)
	}
	epoch, _, err := w.store.Acquire(w.t.Context(), w.other.ID(), v.view.key, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	seq := New(w.store, testLimits)
	logs := map[string]*Log{}
	for i, m := range w.logs {
		l := seq.NewRemote(m.log.jobID, "")
		if err := l.Load(w.t.Context(), nil); err != nil {
			w.t.Fatal(err)
		}
		logs[fmt.Sprintf("job_%d", i)] = l
	}
	first, _, _ := v.view.Bounds()
	last := int(first) - 1 + w.rng.IntN(len(v.numbers)-int(first)+2)
	if c := f.Covers(uint64(last), logs); c != Covered {
		w.t.Fatalf("Covers(%d) = %v of a view with %d..%d", last, c, first, len(v.numbers))
	}
	if c := f.Covers(uint64(len(v.numbers)+1), logs); c != TooNew {
		w.t.Fatalf("Covers past the end = %v", c)
	}
	moved := seq.Adopt(f, epoch, v.gates, uint64(last), logs, nil)
	there := *v
	there.view, there.written = moved, last
	if there.reader, _, _ = moved.Resume(uint64(last)); there.reader == nil {
		w.t.Fatalf("the adopted view does not cover %d", last)
	}
	for w.read(&there, 1+w.rng.IntN(1000), 1+w.rng.IntN(20)) {
	}
	if there.written != len(v.numbers) {
		w.t.Fatalf("the adopted view ends at %d, want %d", there.written, len(v.numbers))
	}
}
