package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// shelved returns a log of n events and an end as another process finds it, and the head of its key.
func shelved(t *testing.T, s store.Store, limits Limits, n int) (*Log, *store.Head) {
	t.Helper()
	old := New(s, limits)
	l, err := old.OpenLog(&NewLog{Node: "n", JobID: "job_1", Accepted: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, err := l.Append(t.Context(), thought(fmt.Sprint(i+1, strings.Repeat(" ", 100)))); err != nil {
			t.Fatal(err)
		}
	}
	end := func(dst []byte, index uint64) ([]byte, error) {
		return fmt.Appendf(dst, `,"id":"job_1.%d"}`, index), nil
	}
	if _, err := l.Close(&Terminal{Type: TypeResult, Tail: end}); err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	head, err := s.Lookup(t.Context(), store.Key{Kind: store.KindJob, ID: "job_1"})
	if err != nil {
		t.Fatal(err)
	}
	return New(s, limits).NewRemote("job_1", ""), &head
}

// indexes reads which records of a log can be read, from its first on.
func indexes(t *testing.T, l *Log) (got []uint64) {
	t.Helper()
	err := l.Records(l.First(), func(index uint64, _ Type, tail []byte) bool {
		if !strings.HasPrefix(string(tail), fmt.Sprintf(`,"id":"job_1.%d"`, index)) {
			t.Errorf("at %d stands %.60s", index, tail)
		}
		got = append(got, index)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestShelvedLog: it knows its bounds without being read, and holds what it held once it is, as often as it is put back.
func TestShelvedLog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		limit int
		first uint64
	}{
		{"whole", 1 << 20, 1},
		{"trimmed", 20_000, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			limits := testLimits
			limits.LogBytes = c.limit
			const last = 501
			l, head := shelved(t, store.NewMemory(), limits, last-1)
			if err := l.Shelve(t.Context(), head.Epoch, head, last, 100_000); err != nil {
				t.Fatal(err)
			}
			first := l.First()
			if first > last || c.first != 0 && first != c.first || c.first == 0 && first == 1 || l.Committed() != last {
				t.Fatalf("it is said to hold %d to %d", first, l.Committed())
			}
			want := make([]uint64, 0, last)
			for i := first; i <= last; i++ {
				want = append(want, i)
			}
			for range 3 {
				if err := l.Fetch(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := indexes(t, l); !slices.Equal(got, want) || l.First() != first {
					t.Fatalf("it holds %d records from %d, want %d from %d", len(got), l.First(), len(want), first)
				}
				if l.Unload() == 0 || !l.Shelved() || l.First() != first {
					t.Error("it cannot be put back")
				}
			}
			if _, err := l.Append(t.Context(), thought("late")); !errors.Is(err, ErrOver) {
				t.Errorf("Append = %v, want ErrOver", err)
			}
		})
	}
}

// short is a store that has lost the end of a job.
type short struct{ store.Store }

func (s short) Read(ctx context.Context, k store.Key, from uint64, most int) ([]store.Segment, error) {
	segs, err := s.Store.Read(ctx, k, from, most)
	if n := len(segs); n > 0 {
		g := &segs[n-1]
		g.Ends = g.Ends[:g.Len()-1]
	}
	return segs, err
}

// TestShelvedLogThatIsDamaged is not taken for a shorter one.
func TestShelvedLogThatIsDamaged(t *testing.T) {
	t.Parallel()
	l, head := shelved(t, store.NewMemory(), testLimits, 3)
	l.seq.store = short{l.seq.store}
	if err := l.Shelve(t.Context(), head.Epoch, head, 4, 100); err != nil {
		t.Fatal(err)
	}
	if err := l.Fetch(t.Context()); !errors.Is(err, ErrDamaged) {
		t.Errorf("Fetch = %v, want ErrDamaged", err)
	}
}

// opsOf is a store that counts the operations on sessions in each batch.
type opsOf struct {
	store.Store
	most int
}

func (s *opsOf) Commit(ctx context.Context, b *store.Batch) error {
	n := 0
	for i := range b.Ops {
		if b.Ops[i].Key.Kind == store.KindSession {
			n++
		}
	}
	s.most = max(s.most, n)
	return s.Store.Commit(ctx, b)
}

// TestAnswerAndHistoryAreOneOperation, however long the history: a process that dies leaves both or none of it.
func TestAnswerAndHistoryAreOneOperation(t *testing.T) {
	t.Parallel()
	counted := &opsOf{Store: store.NewMemory()}
	s := New(counted, testLimits)
	l, err := s.OpenLog(&NewLog{Node: "n", JobID: "job_1", Accepted: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		if _, err := l.Append(t.Context(), thought("x")); err != nil {
			t.Fatal(err)
		}
	}
	v, err := s.OpenView("n", "sess_1", GateNone, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer := []byte(strings.Repeat("answer", 1000))
	if err := s.Attach(v, l, 0, func(_, _ uint64) []byte { return answer }); err != nil {
		t.Fatal(err)
	}
	if counted.most != 1 {
		t.Errorf("%d operations on the session in one batch, want 1", counted.most)
	}
	f := NewFold("sess_1")
	if err := f.Read(t.Context(), counted); err != nil || f.last != 3000 || len(f.answers) != 1 || string(f.answers[0].frame) != string(answer) {
		t.Errorf("the store tells of %d numbers and %d answers, %v", f.last, len(f.answers), err)
	}
}
