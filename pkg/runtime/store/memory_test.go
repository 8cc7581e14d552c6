package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/storetest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store { return store.NewMemory() })
}

func TestMemorySplit(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store {
		s := storetest.Split(store.NewMemory(), rand.New(rand.NewPCG(1, 1)))
		s.SetOdds(0)
		return s
	})
}

func TestMemoryCommitKeepsOneSegmentPerSlab(t *testing.T) {
	t.Parallel()
	m := store.NewMemory()
	p := newPair(t, m, "1")
	const records = 200
	for i := range records {
		if err := p.commit(m, fmt.Appendf(nil, "record %d", i), []byte("span")); err != nil {
			t.Fatal(err)
		}
	}
	for _, op := range p.batch.Ops {
		got, err := m.Read(t.Context(), op.Key, 1, 1<<20)
		if err != nil || len(got) != 1 || got[0].Len() != records {
			t.Errorf("Read(%v) = %d segments, %v, want one of %d records", op.Key, len(got), err, records)
		}
	}
}

func TestMemoryCommitAllocatesNothing(t *testing.T) {
	m := store.NewMemory()
	p := newPair(t, m, "1")
	p.job.data, p.job.ends = make([]byte, 0, 1<<20), make([]uint32, 0, 4096)
	p.session.data, p.session.ends = make([]byte, 0, 1<<20), make([]uint32, 0, 4096)
	record := make([]byte, 100)
	if n := testing.AllocsPerRun(1000, func() {
		if err := p.commit(m, record, record[:8]); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Commit allocates %v times, want 0", n)
	}
}

func TestMemoryForgetsExpiredReservations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := store.NewMemory()
		reserve := func(id string) {
			t.Helper()
			err := m.Commit(t.Context(), &store.Batch{Ops: []store.Op{{
				Key: store.Key{Kind: store.KindIdem, ID: id}, Create: true, Expires: time.Now().Add(24 * time.Hour),
			}}})
			if err != nil {
				t.Fatal(err)
			}
		}
		for day := range 50 {
			for i := range 20 {
				reserve(fmt.Sprint(day, " ", i))
			}
			time.Sleep(24 * time.Hour)
		}
		if n := m.Reservations(); n > 40 {
			t.Errorf("after 50 days of 20 reservations a day %d are kept, want two days' at most", n)
		}
	})
}
