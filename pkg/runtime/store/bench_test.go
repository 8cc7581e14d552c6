package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// slab hands out one-record segments that lie behind each other in memory, as the journal does.
type slab struct {
	data []byte
	ends []uint32
	next uint64
}

func (s *slab) add(record []byte) store.Segment {
	if cap(s.data)-len(s.data) < len(record) || len(s.ends) == cap(s.ends) {
		s.data, s.ends = make([]byte, 0, 64<<10), make([]uint32, 0, 256)
	}
	g := store.Segment{First: s.next + 1, Off: uint32(len(s.data))}
	s.data = append(s.data, record...)
	s.ends = append(s.ends, uint32(len(s.data)))
	g.Data, g.Ends = s.data, s.ends[len(s.ends)-1:]
	s.next++
	return g
}

// pair is a job and a session that are committed together.
type pair struct {
	job, session slab
	batch        store.Batch
}

func newPair(tb testing.TB, m store.Store, id string) *pair {
	tb.Helper()
	p := &pair{batch: store.Batch{Ops: []store.Op{
		{Key: store.Key{Kind: store.KindJob, ID: "job_" + id}, Create: true},
		{Key: store.Key{Kind: store.KindSession, ID: "sess_" + id}, Create: true},
	}}}
	if err := m.Commit(context.Background(), &p.batch); err != nil {
		tb.Fatal(err)
	}
	for i := range p.batch.Ops {
		p.batch.Ops[i].Create, p.batch.Ops[i].Epoch = false, 1
	}
	return p
}

func (p *pair) commit(m store.Store, record, span []byte) error {
	job, session := &p.batch.Ops[0], &p.batch.Ops[1]
	job.Head, session.Head = p.job.next, p.session.next
	job.Append, session.Append = p.job.add(record), p.session.add(span)
	return m.Commit(context.Background(), &p.batch)
}

// forget drops what a benchmark has written, so that it measures commits and not the size of the heap.
func (p *pair) forget(m store.Store) error {
	if p.job.next%4096 != 0 {
		return nil
	}
	for _, op := range p.batch.Ops {
		if err := m.Trim(context.Background(), op.Key, 1, op.Head); err != nil {
			return err
		}
	}
	return nil
}

func BenchmarkCommit(b *testing.B) {
	record, span := make([]byte, 200), make([]byte, 16)
	b.Run("pair", func(b *testing.B) {
		m := store.NewMemory()
		p := newPair(b, m, "0")
		b.ReportAllocs()
		for b.Loop() {
			if err := p.commit(m, record, span); err != nil {
				b.Fatal(err)
			}
			if err := p.forget(m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		m := store.NewMemory()
		pairs := make(chan *pair, 64)
		for i := range cap(pairs) {
			pairs <- newPair(b, m, fmt.Sprint(i))
		}
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			p := <-pairs
			for pb.Next() {
				if err := p.commit(m, record, span); err != nil {
					b.Error(err)
					return
				}
				if err := p.forget(m); err != nil {
					b.Error(err)
					return
				}
			}
			pairs <- p
		})
	})
}
