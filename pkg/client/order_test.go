package client

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
)

func TestIndexOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id, job string
		want    uint64
	}{
		{"J.1", "J", 1},
		{"J.18446744073709551615", "J", 1<<64 - 1},
		{"J.18446744073709551616", "J", 0},
		{"J.", "J", 0},
		{"J", "J", 0},
		{"", "J", 0},
		{"J.x", "J", 0},
		{"J.-1", "J", 0},
		{"JJ.1", "J", 0},
		{"K.1", "J", 0},
		{"J.K.1", "J", 0},
		{"J.K.1", "J.K", 1},
	} {
		if got := indexOf(c.id, c.job); got != c.want {
			t.Errorf("indexOf(%q, %q) = %d, want %d", c.id, c.job, got, c.want)
		}
	}
}

// Invariant: whatever is left out of the queue, and however replays and what happens meanwhile mix, each visible event is read once, in
// order, and the end comes last.
func TestOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		m := newModel(seed)
		m.run()
		if !slices.Equal(m.read, m.visible()) || !m.ended {
			t.Fatalf("seed %d: read %v, ended %v, want %v\n%s", seed, m.read, m.ended, m.visible(), m.trace)
		}
	}
}

// model is a runtime's log of one job, its view of it, and a reader.
type model struct {
	rng     *rand.Rand
	log     []bool // whether the session sees it; the last is the terminal, seen by all
	written int    // how much of the log there is
	view    []int  // indexes on their way, in order
	given   uint64 // the newest number in the view
	seq     uint64 // the newest number that was delivered
	job     *Job
	read    []int
	ended   bool
	trace   []byte
}

func newModel(seed uint64) *model {
	rng := rand.New(rand.NewPCG(seed, 7))
	s := &Session{}
	s.o = (&Options{EventBytes: 400 * (1 + rng.IntN(6))}).withDefaults()
	s.jobs.byID = map[string]*Job{}
	s.welcome.Store(&arcp.SessionWelcome{Capabilities: arcp.RuntimeCapabilities{Features: []arcp.Feature{arcp.FeatureSubscribe}}})
	m := &model{rng: rng, log: make([]bool, 2+rng.IntN(40)), job: newJob(s, "J", nil)}
	for i := range m.log {
		m.log[i] = rng.IntN(4) > 0 || i == len(m.log)-1
	}
	s.jobs.add(m.job)
	return m
}

func (m *model) visible() []int {
	var v []int
	for i, seen := range m.log[:len(m.log)-1] {
		if seen {
			v = append(v, i+1)
		}
	}
	return v
}

func (m *model) run() {
	for range 100_000 {
		if m.ended {
			return
		}
		switch m.rng.IntN(50) {
		case 0: // somebody before us asked for something
			m.send(m.rng.IntN(m.written+1), m.written)
			continue
		}
		switch m.rng.IntN(5) {
		case 0:
			if m.written < len(m.log) {
				m.send(m.written, m.written+1)
			}
		case 1, 2:
			m.deliver()
		default:
			m.next()
		}
	}
}

// send puts a part of the log into the view, and all there is on the way to it.
func (m *model) send(from, to int) {
	for i := from; i < to; i++ {
		if m.log[i] {
			m.view = append(m.view, i+1)
			m.given++
		}
	}
	m.written = max(m.written, to)
}

func (m *model) deliver() {
	if len(m.view) == 0 {
		return
	}
	index := m.view[0]
	m.view = m.view[1:]
	m.seq++
	m.trace = fmt.Appendf(m.trace, "<%d ", index)
	if index == len(m.log) {
		m.job.finish(nil, m.seq, uint64(index), &arcp.JobResult{}, arcp.StatusSuccess, nil)
		return
	}
	p := &arcp.JobEvent{Kind: arcp.KindThought, Body: &arcp.ThoughtBody{}}
	m.job.push(&arcp.Envelope{EventSeq: m.seq, ID: arcp.EventID("J", uint64(index)), JobID: "J", Payload: p}, p)
}

func (m *model) next() {
	if ev := m.job.pop(); ev != nil {
		m.read = append(m.read, int(indexOf(ev.ID, "J")))
		return
	}
	_, err := m.job.refill()
	switch {
	case errors.Is(err, errBehind):
		m.trace = fmt.Appendf(m.trace, "?%d ", m.job.order.last)
		m.ask(&m.job.order)
	case errors.Is(err, io.EOF):
		m.ended = true
	case err != nil:
		m.trace = fmt.Appendf(m.trace, "%v", err)
	}
}

// ask is a question for what follows, asked again over the next link now and then, and its answer, which overtakes the events.
func (m *model) ask(o *order) {
	from, after := o.last, m.given
	for range 1 + m.rng.IntN(3)/2 {
		m.send(int(from), m.written)
	}
	m.job.fetched(o, &arcp.JobSubscribed{SubscribedFrom: from, AfterEventSeq: after}, nil)
	m.job.observed = false // there is no link to say so on
}

func TestOrderLeavesOutWhatWasAskedForBefore(t *testing.T) {
	t.Parallel()
	o := order{last: 8, seen: 22, behind: true}
	if o.admit(30, 9) {
		t.Error("an event that was not asked for was taken")
	}
	if !o.ask() || o.ask() {
		t.Error("it is asked for not once")
	}
	o.goOn(40)
	for _, c := range []struct {
		seq, index uint64
		want       bool
	}{{31, 22, false}, {40, 9, false}, {41, 8, false}, {42, 11, true}} {
		if got := o.admit(c.seq, c.index); got != c.want {
			t.Errorf("admit(%d, %d) = %v, want %v", c.seq, c.index, got, c.want)
		}
	}
}
