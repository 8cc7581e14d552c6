package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

var commitTests = []contract{
	{"a created key is owned at epoch 1 and empty", func(_ *testing.T, s *bench) {
		s.create("n", jobKey)
		s.wantHead(jobKey, store.Head{Epoch: 1, Owner: "n", First: 1})
	}},
	{"create with records, snapshot and row", func(_ *testing.T, s *bench) {
		s.do(store.Op{
			Key: jobKey, Create: true, Node: "n", Append: segment(1, "a", "", "ccc"), Snapshot: []byte("s"),
			Row: &store.JobRow{JobID: "job_1", Principal: "p", Created: day(1)},
		})
		s.wantHead(jobKey, store.Head{Epoch: 1, Owner: "n", Records: 3, First: 1, Snapshot: []byte("s"), SnapshotAt: 3})
		s.wantRecords(jobKey, "a", "", "ccc")
		s.wantPage("p", store.Filter{}, store.Cursor{}, 10, false, "job_1")
	}},
	{"a key is created once", func(_ *testing.T, s *bench) {
		s.create("n", jobKey)
		s.wantErr("second Create", s.one(store.Op{Key: jobKey, Create: true, Node: "m"}), store.ErrExists)
		s.wantHead(jobKey, store.Head{Epoch: 1, Owner: "n", First: 1})
	}},
	{"the same ID under another kind is another key", func(_ *testing.T, s *bench) {
		other := store.Key{Kind: store.KindSession, ID: jobKey.ID}
		s.create("n", jobKey, other)
		s.add(jobKey, "a")
		s.wantRecords(other)
	}},
	{"records follow each other", func(_ *testing.T, s *bench) {
		s.create("n", jobKey)
		s.add(jobKey, "a")
		s.add(jobKey, "b", "c")
		s.wantRecords(jobKey, "a", "b", "c")
		s.wantHead(jobKey, store.Head{Epoch: 1, Owner: "n", Records: 3, First: 1})
	}},
	{"a wrong head is a conflict and changes nothing", func(_ *testing.T, s *bench) {
		s.create("n", jobKey)
		s.add(jobKey, "a")
		for _, head := range []uint64{0, 2} {
			err := s.one(store.Op{Key: jobKey, Epoch: 1, Head: head, Append: segment(head+1, "x"), Snapshot: []byte("x")})
			s.wantErr("Commit at a wrong head", err, store.ErrConflict)
		}
		s.wantErr("Delete at a wrong head", s.one(store.Op{Key: jobKey, Epoch: 1, Delete: true}), store.ErrConflict)
		s.wantRecords(jobKey, "a")
		s.wantHead(jobKey, store.Head{Epoch: 1, Owner: "n", Records: 1, First: 1})
	}},
	{"a wrong epoch is fenced and changes nothing", func(_ *testing.T, s *bench) {
		s.create("n", jobKey)
		for _, epoch := range []store.Epoch{0, 2} {
			err := s.one(store.Op{Key: jobKey, Epoch: epoch, Append: segment(1, "x")})
			s.wantErr("Commit at a wrong epoch", err, store.ErrFenced)
		}
		s.wantRecords(jobKey)
	}},
	{"no key, no commit", func(_ *testing.T, s *bench) {
		s.wantErr("Commit", s.one(store.Op{Key: jobKey, Epoch: 1, Append: segment(1, "x")}), store.ErrNotFound)
	}},
	{"a batch stops at the first refusal and says where", func(t *testing.T, s *bench) {
		s.create("n", jobKey, sessionKey)
		third := store.Key{Kind: store.KindSession, ID: "sess_3"}
		err := s.Commit(t.Context(), &store.Batch{Ops: []store.Op{
			{Key: jobKey, Epoch: 1, Append: segment(1, "a")},
			{Key: sessionKey, Epoch: 7, Append: segment(1, "b")},
			{Key: third, Create: true, Node: "n"},
		}})
		var at *store.BatchError
		if !errors.As(err, &at) || at.Done != 1 || at.Key != sessionKey || !errors.Is(err, store.ErrFenced) {
			t.Errorf("Commit = %#v, want a fenced BatchError at operation 1 on %v", err, sessionKey)
		}
		s.wantRecords(jobKey, "a")
		s.wantRecords(sessionKey)
		_, err = s.Lookup(t.Context(), third)
		s.wantErr("Lookup of a key behind the refusal", err, store.ErrNotFound)
	}},
	{"operations of a batch see those before them", func(_ *testing.T, s *bench) {
		s.do(
			store.Op{Key: jobKey, Create: true, Node: "n", Append: segment(1, "a")},
			store.Op{Key: jobKey, Epoch: 1, Head: 1, Append: segment(2, "b")},
		)
		s.wantRecords(jobKey, "a", "b")
	}},
	{"a snapshot replaces the one before", func(_ *testing.T, s *bench) {
		s.create("n", jobKey)
		s.do(store.Op{Key: jobKey, Epoch: 1, Append: segment(1, "a"), Snapshot: []byte("one")})
		s.add(jobKey, "b")
		s.wantHead(jobKey, store.Head{Epoch: 1, Owner: "n", Records: 2, First: 1, Snapshot: []byte("one"), SnapshotAt: 1})
		s.do(store.Op{Key: jobKey, Epoch: 1, Head: 2, Snapshot: []byte("two")})
		s.wantHead(jobKey, store.Head{Epoch: 1, Owner: "n", Records: 2, First: 1, Snapshot: []byte("two"), SnapshotAt: 2})
	}},
	{"an empty snapshot is one", func(_ *testing.T, s *bench) {
		s.create("n", jobKey)
		s.do(store.Op{Key: jobKey, Epoch: 1, Append: segment(1, "a"), Snapshot: []byte{}})
		if h := s.head(jobKey); h.Snapshot == nil || h.SnapshotAt != 1 {
			s.Errorf("Lookup = %+v, want an empty snapshot at 1", h)
		}
	}},
	{"a deleted key is gone and may be made again", func(t *testing.T, s *bench) {
		s.create("n", jobKey)
		s.add(jobKey, "a")
		s.do(store.Op{Key: jobKey, Epoch: 1, Head: 1, Row: &store.JobRow{JobID: "job_1", Principal: "p"}})
		s.do(store.Op{Key: jobKey, Epoch: 1, Head: 1, Delete: true})
		_, err := s.Lookup(t.Context(), jobKey)
		s.wantErr("Lookup", err, store.ErrNotFound)
		_, err = s.Read(t.Context(), jobKey, 1, 1)
		s.wantErr("Read", err, store.ErrNotFound)
		s.wantPage("p", store.Filter{}, store.Cursor{}, 10, false)
		s.create("m", jobKey)
		s.wantHead(jobKey, store.Head{Epoch: 1, Owner: "m", First: 1})
	}},
	{"the batch is the caller's again", func(_ *testing.T, s *bench) {
		row := &store.JobRow{JobID: "job_1", Principal: "p", Summary: []byte("sum")}
		ops := []store.Op{{Key: jobKey, Create: true, Node: "n", Append: segment(1, "a"), Row: row}}
		s.do(ops...)
		copy(row.Summary, "xxx")
		row.Status = "changed"
		ops[0].Append = segment(9, "z")
		s.wantRecords(jobKey, "a")
		p, err := s.Jobs(s.Context(), "p", store.Filter{}, store.Cursor{}, 1)
		if err != nil || len(p.Rows) != 1 || string(p.Rows[0].Summary) != "sum" || p.Rows[0].Status != "" {
			s.Errorf("Jobs = %+v, %v, want the row as committed", p, err)
		}
	}},
	{"nonsense is refused", func(t *testing.T, s *bench) {
		s.create("n", jobKey, sessionKey)
		for name, op := range map[string]store.Op{
			"no kind":                {Key: store.Key{ID: "x"}, Create: true},
			"unknown kind":           {Key: store.Key{Kind: 9, ID: "x"}, Create: true},
			"first not behind head":  {Key: jobKey, Epoch: 1, Append: segment(2, "a")},
			"ends beyond data":       {Key: jobKey, Epoch: 1, Append: store.Segment{First: 1, Ends: []uint32{4}, Data: []byte("abc")}},
			"ends that go back":      {Key: jobKey, Epoch: 1, Append: store.Segment{First: 1, Ends: []uint32{2, 1}, Data: []byte("abc")}},
			"row on a session":       {Key: sessionKey, Epoch: 1, Row: &store.JobRow{}},
			"expiry on a job":        {Key: store.Key{Kind: store.KindJob, ID: "x"}, Create: true, Expires: time.Unix(1, 0)},
			"delete with a snapshot": {Key: jobKey, Epoch: 1, Delete: true, Snapshot: []byte("s")},
			"create with a head":     {Key: store.Key{Kind: store.KindJob, ID: "x"}, Create: true, Head: 1},
		} {
			if err := s.one(op); err == nil {
				t.Errorf("%s: Commit = nil, want an error", name)
			}
		}
		s.wantRecords(jobKey)
	}},
}

// one commits a single operation.
func (s *bench) one(op store.Op) error {
	return s.Commit(s.Context(), &store.Batch{Ops: []store.Op{op}})
}
