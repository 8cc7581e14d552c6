package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

var readTests = []contract{
	{"from any position, in any step", func(_ *testing.T, s *bench) {
		want := s.fill(40)
		for from := uint64(1); from <= 41; from++ {
			for _, step := range []int{0, 1, 7, 1 << 20} {
				if got := s.all(jobKey, from, step); fmt.Sprint(got) != fmt.Sprint(want[from-1:]) {
					s.Fatalf("from %d by %d: %q, want %q", from, step, got, want[from-1:])
				}
			}
		}
	}},
	{"position 0 reads from the start", func(t *testing.T, s *bench) {
		s.fill(3)
		if got, err := s.Read(t.Context(), jobKey, 0, 1); err != nil || len(got) == 0 || got[0].First != 1 {
			t.Errorf("Read(0) = %+v, %v, want the first segment", got, err)
		}
	}},
	{"nothing past the end", func(t *testing.T, s *bench) {
		s.fill(3)
		for _, from := range []uint64{4, 5, 1 << 63} {
			if got, err := s.Read(t.Context(), jobKey, from, 1<<20); err != nil || len(got) != 0 {
				t.Errorf("Read(%d) = %v, %v, want nothing", from, got, err)
			}
		}
	}},
	{"maxBytes bounds a read", func(t *testing.T, s *bench) {
		s.create("n", jobKey)
		for range 10 {
			s.add(jobKey, "0123456789")
		}
		got, err := s.Read(t.Context(), jobKey, 1, 25)
		if n := records(got); err != nil || n < 1 || n > 9 {
			t.Errorf("Read of 25 bytes = %d of 10 records, %v, want fewer", n, err)
		}
	}},
	{"no key", func(t *testing.T, s *bench) {
		_, err := s.Read(t.Context(), jobKey, 1, 1)
		s.wantErr("Read", err, store.ErrNotFound)
		s.wantErr("Trim", s.Trim(t.Context(), jobKey, 1, 1), store.ErrNotFound)
	}},
	{"what was read stays as it was", func(t *testing.T, s *bench) {
		s.create("n", jobKey)
		data, ends := make([]byte, 0, 64), make([]uint32, 0, 16)
		var first []store.Segment
		for i := range 16 {
			from := len(data)
			data = append(data, byte('a'+i))
			ends = append(ends, uint32(len(data)))
			s.do(store.Op{Key: jobKey, Epoch: 1, Head: uint64(i), Append: store.Segment{
				First: uint64(i + 1), Off: uint32(from), Ends: ends[i:], Data: data,
			}})
			if i == 4 {
				var err error
				if first, err = s.Read(t.Context(), jobKey, 1, 1<<20); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n := records(first); n != 5 {
			t.Errorf("segments read after 5 records hold %d now", n)
		}
		s.wantRecords(jobKey, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p")
	}},
	{"segments that go on in part of their memory only do not run into each other", func(_ *testing.T, s *bench) {
		for i, c := range []struct {
			why  string
			next func(data []byte, ends []uint32) store.Segment
			want []string
		}{
			{"in place", func(data []byte, ends []uint32) store.Segment {
				return store.Segment{First: 3, Off: 2, Ends: ends[2:], Data: data}
			}, []string{"a", "b", "c", "d"}},
			{"other data", func(_ []byte, ends []uint32) store.Segment {
				return store.Segment{First: 3, Off: 2, Ends: ends[2:], Data: []byte("ABCDEF")}
			}, []string{"a", "b", "C", "D"}},
			{"other ends", func(data []byte, _ []uint32) store.Segment {
				return store.Segment{First: 3, Off: 2, Ends: []uint32{4, 5}, Data: data}
			}, []string{"a", "b", "cd", "e"}},
			{"a hole", func(data []byte, ends []uint32) store.Segment {
				return store.Segment{First: 3, Off: 1, Ends: ends[2:], Data: data}
			}, []string{"a", "b", "bc", "d"}},
			{"less data", func(data []byte, ends []uint32) store.Segment {
				return store.Segment{First: 3, Off: 2, Ends: ends[2:], Data: data[:4]}
			}, []string{"a", "b", "c", "d"}},
		} {
			key := store.Key{Kind: store.KindJob, ID: fmt.Sprint("job_", i)}
			data, ends := []byte("abcdef"), []uint32{1, 2, 3, 4}
			s.create("n", key)
			s.do(store.Op{Key: key, Epoch: 1, Append: store.Segment{First: 1, Ends: ends[:2], Data: data}})
			s.do(store.Op{Key: key, Epoch: 1, Head: 2, Append: c.next(data, ends)})
			if got := s.all(key, 1, 1<<20); fmt.Sprint(got) != fmt.Sprint(c.want) {
				s.Errorf("%s: %q, want %q", c.why, got, c.want)
			}
		}
	}},
	{"trimming keeps what is asked for", func(t *testing.T, s *bench) {
		want := s.fill(40)
		for before := uint64(1); before <= 42; before++ {
			if err := s.Trim(t.Context(), jobKey, 1, before); err != nil {
				t.Fatalf("Trim(%d) = %v", before, err)
			}
			h := s.head(jobKey)
			if h.First > before || h.Records != 40 {
				t.Fatalf("after Trim(%d) the head is %+v", before, h)
			}
			if before <= 40 {
				if got := s.all(jobKey, before, 1); fmt.Sprint(got) != fmt.Sprint(want[before-1:]) {
					t.Fatalf("after Trim(%d): %q, want %q", before, got, want[before-1:])
				}
			}
		}
	}},
	{"trimming forgets whole segments", func(t *testing.T, s *bench) {
		s.fill(40)
		if err := s.Trim(t.Context(), jobKey, 1, 41); err != nil {
			t.Fatal(err)
		}
		s.wantHead(jobKey, store.Head{Epoch: 1, Owner: "n", Records: 40, First: 41})
		for _, from := range []uint64{0, 1, 40} {
			_, err := s.Read(t.Context(), jobKey, from, 1)
			var trimmed *store.TrimmedError
			if !errors.As(err, &trimmed) || trimmed.First != 41 {
				t.Errorf("Read(%d) = %v, want a TrimmedError with First 41", from, err)
			}
		}
		if got, err := s.Read(t.Context(), jobKey, 41, 1); err != nil || len(got) != 0 {
			t.Errorf("Read(41) = %v, %v, want nothing", got, err)
		}
		s.add(jobKey, "new")
		if got := s.all(jobKey, 41, 1); len(got) != 1 || got[0] != "new" {
			t.Errorf("after trimming all, a new record reads %q", got)
		}
	}},
	{"trimming is the owner's", func(t *testing.T, s *bench) {
		s.fill(4)
		s.wantErr("Trim at a wrong epoch", s.Trim(t.Context(), jobKey, 2, 5), store.ErrFenced)
		s.wantHead(jobKey, store.Head{Epoch: 1, Owner: "n", Records: 4, First: 1})
	}},
	{"a snapshot outlives its records", func(t *testing.T, s *bench) {
		s.create("n", jobKey)
		s.do(store.Op{Key: jobKey, Epoch: 1, Append: segment(1, "a"), Snapshot: []byte("s")})
		if err := s.Trim(t.Context(), jobKey, 1, 2); err != nil {
			t.Fatal(err)
		}
		if h := s.head(jobKey); string(h.Snapshot) != "s" || h.SnapshotAt != 1 {
			t.Errorf("head after Trim = %+v, want the snapshot", h)
		}
	}},
}

// fill makes the job's key and appends n records in segments of 1 to 5.
func (s *bench) fill(n int) []string {
	s.Helper()
	s.create("n", jobKey)
	var want []string
	for size := 1; len(want) < n; size = size%5 + 1 {
		from := len(want)
		for len(want) < min(from+size, n) {
			want = append(want, fmt.Sprintf("r%d", len(want)+1))
		}
		s.add(jobKey, want[from:]...)
	}
	return want
}

func records(segments []store.Segment) int {
	n := 0
	for i := range segments {
		n += segments[i].Len()
	}
	return n
}
