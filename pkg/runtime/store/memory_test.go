package store_test

import (
	"errors"
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

func TestMemoryKeepsTheSuccessorOfAReservation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := store.NewMemory()
		key := store.Key{Kind: store.KindIdem, ID: "k"}
		soon := time.Now().Add(time.Hour)
		commit(t, m, store.Op{Key: key, Create: true, Expires: soon})
		commit(t, m, store.Op{Key: key, Epoch: 1, Delete: true})
		commit(t, m, store.Op{Key: key, Create: true})
		time.Sleep(2 * time.Hour)
		commit(t, m, store.Op{Key: store.Key{Kind: store.KindIdem, ID: "other"}, Create: true})
		if _, err := m.Lookup(t.Context(), key); err != nil {
			t.Errorf("Lookup = %v, want the key made after the one that expired", err)
		}
	})
}

func TestMemoryForgetsRowsOfDeletedJobs(t *testing.T) {
	t.Parallel()
	m := store.NewMemory()
	job := func(i int) store.Key { return store.Key{Kind: store.KindJob, ID: fmt.Sprintf("j%04d", i)} }
	const kept = 10
	for i := range 1000 {
		commit(t, m, store.Op{Key: job(i), Create: true, Row: &store.JobRow{JobID: job(i).ID, Principal: "p"}})
		if i >= kept {
			commit(t, m, store.Op{Key: job(i - kept), Epoch: 1, Delete: true})
		}
		if n := m.Rows("p"); n > 2*kept+2 {
			t.Fatalf("%d rows in the index, want about as many as the %d jobs", n, kept)
		}
	}
}

func TestMemoryWakesAWaitingInbox(t *testing.T) {
	t.Parallel()
	key := store.Key{Kind: store.KindJob, ID: "j"}
	for _, c := range []struct {
		name string
		do   func(t *testing.T, m *store.Memory, in store.Inbox) error
		want error
	}{
		{"Post", func(t *testing.T, m *store.Memory, _ store.Inbox) error {
			return m.Post(t.Context(), key, store.Command{Kind: "x"})
		}, nil},
		{"Acquire", func(t *testing.T, m *store.Memory, _ store.Inbox) error {
			_, _, err := m.Acquire(t.Context(), "n", key, 1)
			return err
		}, store.ErrFenced},
		{"Release", func(t *testing.T, m *store.Memory, _ store.Inbox) error {
			return m.Release(t.Context(), key, 1)
		}, store.ErrFenced},
		{"Delete", func(t *testing.T, m *store.Memory, _ store.Inbox) error {
			return m.Commit(t.Context(), &store.Batch{Ops: []store.Op{{Key: key, Epoch: 1, Delete: true}}})
		}, store.ErrFenced},
		{"Close of the inbox", func(_ *testing.T, _ *store.Memory, in store.Inbox) error {
			in.Close()
			return nil
		}, store.ErrClosed},
		{"Close of the store", func(_ *testing.T, m *store.Memory, _ store.Inbox) error { return m.Close() }, store.ErrClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := store.NewMemory()
				if _, err := m.Join(t.Context(), "n"); err != nil {
					t.Fatal(err)
				}
				commit(t, m, store.Op{Key: key, Create: true, Node: "n"})
				in, err := m.Inbox(t.Context(), key, 1)
				if err != nil {
					t.Fatal(err)
				}
				got := make(chan error, 1)
				go func() {
					_, err := in.Next(t.Context())
					got <- err
				}()
				synctest.Wait()
				if err := c.do(t, m, in); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				select {
				case err := <-got:
					if !errors.Is(err, c.want) {
						t.Errorf("Next = %v, want %v", err, c.want)
					}
				default:
					t.Error("Next still waits")
				}
			})
		})
	}
}

func commit(t *testing.T, m *store.Memory, op store.Op) {
	t.Helper()
	if err := m.Commit(t.Context(), &store.Batch{Ops: []store.Op{op}}); err != nil {
		t.Fatal(err)
	}
}
