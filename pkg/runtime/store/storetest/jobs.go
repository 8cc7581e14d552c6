package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

func day(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }

var jobTests = []contract{
	{"in the order of time and ID", func(_ *testing.T, s *bench) {
		s.row(store.JobRow{JobID: "b", Created: day(2)})
		s.row(store.JobRow{JobID: "c", Created: day(1)})
		s.row(store.JobRow{JobID: "a", Created: day(2)})
		s.wantPage("p", store.Filter{}, store.Cursor{}, 10, false, "c", "a", "b")
	}},
	{"pages follow each other", func(_ *testing.T, s *bench) {
		for i := range 5 {
			s.row(store.JobRow{JobID: fmt.Sprint("j", i), Created: day(1 + i/2)})
		}
		s.wantPage("p", store.Filter{}, store.Cursor{}, 2, true, "j0", "j1")
		s.wantPage("p", store.Filter{}, store.Cursor{Created: day(1), JobID: "j1"}, 2, true, "j2", "j3")
		s.wantPage("p", store.Filter{}, store.Cursor{Created: day(2), JobID: "j3"}, 2, false, "j4")
		s.wantPage("p", store.Filter{}, store.Cursor{Created: day(3), JobID: "j4"}, 2, false)
		s.wantPage("p", store.Filter{}, store.Cursor{}, 5, false, "j0", "j1", "j2", "j3", "j4")
		s.wantPage("p", store.Filter{}, store.Cursor{}, 0, true, "j0")
	}},
	{"a cursor need not name a row", func(_ *testing.T, s *bench) {
		s.row(store.JobRow{JobID: "a", Created: day(1)})
		s.row(store.JobRow{JobID: "c", Created: day(1)})
		s.wantPage("p", store.Filter{}, store.Cursor{Created: day(1), JobID: "b"}, 9, false, "c")
	}},
	{"only the principal's own", func(_ *testing.T, s *bench) {
		s.row(store.JobRow{JobID: "a"})
		s.wantPage("", store.Filter{}, store.Cursor{}, 9, false)
		s.wantPage("q", store.Filter{}, store.Cursor{}, 9, false)
	}},
	{"filters", func(_ *testing.T, s *bench) {
		s.row(store.JobRow{JobID: "a", Agent: "x@1.0.0", Status: "running", Created: day(1)})
		s.row(store.JobRow{JobID: "b", Agent: "x@2.0.0", Status: "success", Created: day(2)})
		s.row(store.JobRow{JobID: "c", Agent: "xy@1.0.0", Status: "error", Created: day(3)})
		for _, c := range []struct {
			f    store.Filter
			want []string
		}{
			{store.Filter{Status: []string{"running"}}, []string{"a"}},
			{store.Filter{Status: []string{"error", "running"}}, []string{"a", "c"}},
			{store.Filter{Status: []string{"pending"}}, nil},
			{store.Filter{Agent: "x"}, []string{"a", "b"}},
			{store.Filter{Agent: "x@2.0.0"}, []string{"b"}},
			{store.Filter{Agent: "x@"}, nil},
			{store.Filter{CreatedAfter: day(1)}, []string{"b", "c"}},
			{store.Filter{CreatedBefore: day(3)}, []string{"a", "b"}},
			{store.Filter{CreatedAfter: day(1), CreatedBefore: day(3)}, []string{"b"}},
			{store.Filter{Agent: "x", Status: []string{"success"}, CreatedAfter: day(1)}, []string{"b"}},
		} {
			s.wantPage("p", c.f, store.Cursor{}, 9, false, c.want...)
		}
	}},
	{"More counts what matches", func(_ *testing.T, s *bench) {
		s.row(store.JobRow{JobID: "a", Status: "running", Created: day(1)})
		s.row(store.JobRow{JobID: "b", Status: "error", Created: day(2)})
		s.wantPage("p", store.Filter{Status: []string{"running"}}, store.Cursor{}, 1, false, "a")
	}},
	{"a deleted job is not listed", func(_ *testing.T, s *bench) {
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			s.row(store.JobRow{JobID: id, Created: day(1)})
		}
		s.do(store.Op{Key: store.Key{Kind: store.KindJob, ID: "b"}, Epoch: 1, Delete: true})
		s.wantPage("p", store.Filter{}, store.Cursor{}, 9, false, "a", "c", "d", "e")
		s.wantPage("p", store.Filter{}, store.Cursor{}, 2, true, "a", "c")
	}},
	{"a row is replaced", func(_ *testing.T, s *bench) {
		s.row(store.JobRow{JobID: "a", Status: "running", Created: day(1)})
		key := store.Key{Kind: store.KindJob, ID: "a"}
		s.do(store.Op{Key: key, Epoch: 1, Row: &store.JobRow{JobID: "a", Principal: "p", Status: "success", Created: day(1)}})
		s.wantPage("p", store.Filter{Status: []string{"success"}}, store.Cursor{}, 9, false, "a")
		s.wantPage("p", store.Filter{Status: []string{"running"}}, store.Cursor{}, 9, false)
		s.do(store.Op{Key: key, Epoch: 1, Row: &store.JobRow{JobID: "a", Principal: "q", Created: day(2)}})
		s.wantPage("p", store.Filter{}, store.Cursor{}, 9, false)
		s.wantPage("q", store.Filter{}, store.Cursor{}, 9, false, "a")
	}},
	{"a row comes back whole and is the caller's", func(t *testing.T, s *bench) {
		want := store.JobRow{JobID: "a", Principal: "p", Agent: "x@1", Status: "running", Created: day(1), Summary: []byte("{}")}
		s.row(want)
		for range 2 {
			p, err := s.Jobs(t.Context(), "p", store.Filter{}, store.Cursor{}, 1)
			if err != nil || len(p.Rows) != 1 {
				t.Fatalf("Jobs = %+v, %v", p, err)
			}
			got := p.Rows[0]
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
				t.Errorf("Jobs = %+v, want %+v", got, want)
			}
			copy(got.Summary, "xx")
		}
	}},
	// guards C13: pages while jobs come and go; what is there throughout appears once.
	{"a listing holds what stays, once", listWhileChanging},
}

func listWhileChanging(t *testing.T, s *bench) {
	rng := rand.New(rand.NewPCG(1, 2))
	var stays, goes []string
	for i := range 600 {
		id := fmt.Sprintf("j%03d", i)
		s.row(store.JobRow{JobID: id, Created: day(1 + rng.IntN(9))})
		if i%3 == 0 {
			stays = append(stays, id)
		} else {
			goes = append(goes, id)
		}
	}
	seen := map[string]int{}
	var at store.Cursor
	for more := true; more; {
		p, err := s.Jobs(t.Context(), "p", store.Filter{}, at, 7)
		if err != nil {
			t.Fatalf("Jobs = %v", err)
		}
		for _, r := range p.Rows {
			seen[r.JobID]++
			at = store.Cursor{Created: r.Created, JobID: r.JobID}
		}
		more = p.More
		for range min(5, len(goes)) {
			i := rng.IntN(len(goes))
			s.do(store.Op{Key: store.Key{Kind: store.KindJob, ID: goes[i]}, Epoch: 1, Delete: true})
			goes = slices.Delete(goes, i, i+1)
		}
		s.row(store.JobRow{JobID: fmt.Sprintf("new%d", len(seen)), Created: day(1 + rng.IntN(9))})
	}
	for _, id := range stays {
		if seen[id] != 1 {
			t.Errorf("%s was listed %d times, want once", id, seen[id])
		}
	}
}

// row makes a job with a listing row of principal p.
func (s *bench) row(r store.JobRow) {
	s.Helper()
	r.Principal = "p"
	s.do(store.Op{Key: store.Key{Kind: store.KindJob, ID: r.JobID}, Create: true, Node: "n", Row: &r})
}

func (s *bench) wantPage(principal string, f store.Filter, after store.Cursor, limit int, more bool, want ...string) {
	s.Helper()
	p, err := s.Jobs(s.Context(), principal, f, after, limit)
	if err != nil {
		s.Fatalf("Jobs(%q, %+v) = %v", principal, f, err)
	}
	got := []string{}
	for _, r := range p.Rows {
		got = append(got, r.JobID)
	}
	if !slices.Equal(got, want) || p.More != more {
		s.Errorf("Jobs(%q, %+v, %+v, %d) = %q, more %v; want %q, %v", principal, f, after, limit, got, p.More, want, more)
	}
}
