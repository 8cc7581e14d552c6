package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// TestStates: a state goes with its event or not at all, costs no more memory than it is long, and is what another process finds.
func TestStates(t *testing.T) {
	t.Parallel()
	s := store.NewMemory()
	limits := Limits{FrameBytes: 4096, StagedBytes: 1 << 20, LogBytes: 1 << 20}
	l, err := New(s, limits).OpenLog(&NewLog{Node: "n", JobID: "job_1", Accepted: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	const n = 2000
	for i := range n {
		err := l.AppendWith(t.Context(), thought("x"), TypeBudget, func() Outcome {
			return Outcome{State: []byte(fmt.Sprint(i)), More: []*arcp.JobEvent{thought("y")}}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = l.AppendWith(t.Context(), thought(strings.Repeat("x", 5000)), TypeBudget, func() Outcome {
		t.Error("the outcome of an event that does not fit was asked for")
		return Outcome{}
	})
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("AppendWith a large event = %v, want ErrTooLarge", err)
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	memory := 0
	for _, sl := range l.slabs {
		memory += cap(sl.data)
	}
	if most := 2*l.Bytes() + 2*slabMax; memory > most {
		t.Errorf("%d bytes of events take %d of memory, want %d at most", l.Bytes(), memory, most)
	}
	found := New(s, limits).NewRemote("job_1", "")
	if err := found.Load(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if got := string(found.State(TypeBudget)); got != fmt.Sprint(n-1) {
		t.Errorf("state = %q, want %d", got, n-1)
	}
	if got := indexes(t, found); len(got) != 2*n || got[len(got)-1] != 2*n {
		t.Errorf("%d events are found, want %d", len(got), 2*n)
	}
}

// TestStateComesFirst: in the store, where a crash may leave any prefix, the state stands before the event that it goes with.
func TestStateComesFirst(t *testing.T) {
	t.Parallel()
	s := store.NewMemory()
	l, err := New(s, Limits{FrameBytes: 4096, StagedBytes: 1 << 20, LogBytes: 1 << 20}).OpenLog(&NewLog{Node: "n", JobID: "job_1", Accepted: []byte("{}")})
	if err == nil {
		err = l.AppendWith(t.Context(), thought("x"), TypeBudget, func() Outcome { return Outcome{State: []byte("1")} })
	}
	if err == nil {
		err = l.Flush(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	var types []Type
	segs, err := s.Read(t.Context(), store.Key{Kind: store.KindJob, ID: "job_1"}, 1, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i := range segs {
		for k := range segs[i].Len() {
			types = append(types, Type(segs[i].Record(k)[0]))
		}
	}
	if want := []Type{16, 32, 1}; !slices.Equal(types, want) {
		t.Errorf("records = %v, want accepted, state, event: %v", types, want)
	}
}
