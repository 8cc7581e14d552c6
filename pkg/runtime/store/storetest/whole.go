package storetest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

var idemTests = []contract{
	{"a reservation is made once", func(_ *testing.T, s *bench) {
		op := store.Op{Key: idemKey, Create: true, Expires: time.Now().Add(time.Hour), Append: segment(1, "job_1")}
		s.do(op)
		s.wantErr("second Create", s.one(op), store.ErrExists)
		s.wantRecords(idemKey, "job_1")
	}},
	{"an expired one is not there", func(t *testing.T, s *bench) {
		s.do(store.Op{Key: idemKey, Create: true, Expires: time.Now().Add(-time.Second), Append: segment(1, "old")})
		_, err := s.Lookup(t.Context(), idemKey)
		s.wantErr("Lookup", err, store.ErrNotFound)
		_, err = s.Read(t.Context(), idemKey, 1, 1)
		s.wantErr("Read", err, store.ErrNotFound)
		s.wantErr("Commit", s.one(store.Op{Key: idemKey, Epoch: 1, Head: 1, Delete: true}), store.ErrNotFound)
		s.do(store.Op{Key: idemKey, Create: true, Append: segment(1, "new")})
		s.wantRecords(idemKey, "new")
		s.wantErr("Create over the new one", s.one(store.Op{Key: idemKey, Create: true}), store.ErrExists)
	}},
	{"a released one can be made again", func(_ *testing.T, s *bench) {
		for range 2 {
			s.do(store.Op{Key: idemKey, Create: true, Expires: time.Now().Add(time.Hour)})
			s.do(store.Op{Key: idemKey, Epoch: 1, Delete: true})
		}
	}},
	{"forgetting one does not touch its successor", func(_ *testing.T, s *bench) {
		s.do(store.Op{Key: idemKey, Create: true, Expires: time.Now().Add(-time.Second)})
		s.do(store.Op{Key: idemKey, Create: true, Append: segment(1, "new")})
		for i := range 5 {
			s.do(store.Op{Key: store.Key{Kind: store.KindIdem, ID: fmt.Sprint(i)}, Create: true, Expires: time.Now().Add(-time.Second)})
		}
		s.wantRecords(idemKey, "new")
	}},
	{"of many who reserve one does", func(t *testing.T, s *bench) {
		const n = 8
		errs := make([]error, n)
		var wait sync.WaitGroup
		for i := range n {
			wait.Go(func() { errs[i] = s.one(store.Op{Key: idemKey, Create: true, Expires: time.Now().Add(time.Hour)}) })
		}
		wait.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				s.wantErr("Create", err, store.ErrExists)
			}
		}
		if won != 1 {
			t.Errorf("%d of %d reserved", won, n)
		}
	}},
}

var wholeTests = []contract{
	{"a secret is kept under its name", func(t *testing.T, s *bench) {
		a, err := s.Secret(t.Context(), "a")
		if err != nil || len(a) != 32 || bytes.Equal(a, make([]byte, 32)) {
			t.Fatalf("Secret(a) = %x, %v", a, err)
		}
		kept := bytes.Clone(a)
		clear(a)
		again, _ := s.Secret(t.Context(), "a")
		b, _ := s.Secret(t.Context(), "b")
		if !bytes.Equal(again, kept) || bytes.Equal(b, kept) {
			t.Errorf("Secret(a) = %x then %x, Secret(b) = %x", kept, again, b)
		}
	}},
	{"a closed store refuses", func(t *testing.T, s *bench) {
		n := s.joinAndCreate("a")
		for range 2 {
			if err := s.Store.Close(); err != nil {
				t.Fatalf("Close() = %v", err)
			}
		}
		s.wantLost(n, true)
		for call, err := range everyCall(t.Context(), s.Store) {
			s.wantErr(call, err, store.ErrClosed)
		}
	}},
	{"an ended context does nothing", func(t *testing.T, s *bench) {
		s.joinAndCreate("a")
		for call, err := range everyCall(ended(t), s.Store) {
			s.wantErr(call, err, context.Canceled)
		}
		s.wantHead(jobKey, store.Head{Epoch: 1, Owner: "a", First: 1})
	}},
	{"writers and readers at once", raceTest},
}

func everyCall(ctx context.Context, s store.Store) map[string]error {
	errs := map[string]error{}
	_, errs["Join"] = s.Join(ctx, "z")
	_, _, errs["Acquire"] = s.Acquire(ctx, "a", jobKey, 1)
	errs["Release"] = s.Release(ctx, jobKey, 1)
	errs["Commit"] = s.Commit(ctx, &store.Batch{Ops: []store.Op{{Key: jobKey, Epoch: 1, Delete: true}}})
	_, errs["Read"] = s.Read(ctx, jobKey, 1, 1)
	_, errs["Lookup"] = s.Lookup(ctx, jobKey)
	_, errs["Watch"] = s.Watch(ctx, jobKey, 0)
	errs["Post"] = s.Post(ctx, jobKey, store.Command{})
	_, errs["Inbox"] = s.Inbox(ctx, jobKey, 1)
	_, errs["Jobs"] = s.Jobs(ctx, "p", store.Filter{}, store.Cursor{}, 1)
	_, errs["Orphans"] = s.Orphans(ctx)
	errs["Trim"] = s.Trim(ctx, jobKey, 1, 1)
	_, errs["Secret"] = s.Secret(ctx, "x")
	return errs
}

// raceTest has a writer that grows a slab in place and readers that follow it by Watch; under -race it shows that what a reader holds is
// never written again.
func raceTest(t *testing.T, s *bench) {
	const n = 2000
	s.create("n", jobKey)
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() { follow(t, s.Store, n) })
	}
	wait.Go(func() {
		var data []byte
		var ends []uint32
		for i := range uint64(n) {
			if len(ends) == cap(ends) || len(data)+8 > cap(data) {
				data, ends = make([]byte, 0, 512), make([]uint32, 0, 50)
			}
			off := uint32(len(data))
			data = fmt.Appendf(data, "%d", i+1)
			ends = append(ends, uint32(len(data)))
			g := store.Segment{First: i + 1, Off: off, Ends: ends[len(ends)-1:], Data: data}
			if err := s.one(store.Op{Key: jobKey, Epoch: 1, Head: i, Append: g}); err != nil {
				t.Errorf("Commit %d = %v", i, err)
				return
			}
		}
	})
	wait.Wait()
}

func follow(t *testing.T, s store.Store, n uint64) {
	w, err := s.Watch(t.Context(), jobKey, 0)
	if err != nil {
		t.Errorf("Watch = %v", err)
		return
	}
	defer w.Close()
	for next := uint64(1); next <= n; {
		segments, err := s.Read(t.Context(), jobKey, next, 100)
		if err != nil {
			t.Errorf("Read = %v", err)
			return
		}
		for _, g := range segments {
			for i := int(next - g.First); i < g.Len(); i, next = i+1, next+1 {
				if got := string(g.Record(i)); got != fmt.Sprint(next) {
					t.Errorf("record %d = %q", next, got)
					return
				}
			}
		}
		if len(segments) > 0 {
			continue
		}
		select {
		case <-w.Moved():
		case <-time.After(patience):
			t.Errorf("no signal past record %d", next)
			return
		}
	}
}
