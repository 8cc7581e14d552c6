// Package storetest holds the contract every store engine keeps, as tests, and a wrapper that crashes between the keys of a batch.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Run tests an engine against every promise of the store package. open returns an empty store, which the tests close.
//
// An engine with a method Lose(store.NodeID) bool is also tested for what happens when a node's lease runs out.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, group := range []struct {
		name  string
		tests []contract
	}{
		{"commit", commitTests},
		{"read", readTests},
		{"owner", ownerTests},
		{"watch", watchTests},
		{"inbox", inboxTests},
		{"jobs", jobTests},
		{"idem", idemTests},
		{"whole", wholeTests},
		{"model", modelTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range group.tests {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					s := open(t)
					t.Cleanup(func() {
						if err := s.Close(); err != nil {
							t.Errorf("Close() = %v", err)
						}
					})
					c.test(t, &bench{T: t, Store: s})
				})
			}
		})
	}
}

// contract is one promise.
type contract struct {
	name string
	test func(t *testing.T, s *bench)
}

// bench is a store under test with calls that may not fail.
type bench struct {
	*testing.T
	store.Store
}

var (
	jobKey     = store.Key{Kind: store.KindJob, ID: "job_1"}
	sessionKey = store.Key{Kind: store.KindSession, ID: "sess_1"}
	idemKey    = store.Key{Kind: store.KindIdem, ID: "alice\x00k"}
	mintKey    = store.Key{Kind: store.KindMint, ID: "mint_1"}
)

// segment makes a segment of records that begins at position first, with something before it in its memory.
func segment(first uint64, records ...string) store.Segment {
	g := store.Segment{First: first, Off: 3, Data: []byte("...")}
	for _, r := range records {
		g.Data = append(g.Data, r...)
		g.Ends = append(g.Ends, uint32(len(g.Data)))
	}
	return g
}

func (s *bench) do(ops ...store.Op) {
	s.Helper()
	if err := s.Commit(s.Context(), &store.Batch{Ops: ops}); err != nil {
		s.Fatalf("Commit(%v) = %v", ops, err)
	}
}

// create makes keys owned by node.
func (s *bench) create(node store.NodeID, keys ...store.Key) {
	s.Helper()
	for _, k := range keys {
		s.do(store.Op{Key: k, Create: true, Node: node})
	}
}

// add appends records to a key at epoch 1.
func (s *bench) add(key store.Key, records ...string) {
	s.Helper()
	head := s.head(key)
	s.do(store.Op{Key: key, Epoch: head.Epoch, Head: head.Records, Append: segment(head.Records+1, records...)})
}

func (s *bench) head(key store.Key) store.Head {
	s.Helper()
	h, err := s.Lookup(s.Context(), key)
	if err != nil {
		s.Fatalf("Lookup(%v) = %v", key, err)
	}
	return h
}

func (s *bench) join(id store.NodeID) store.Node {
	s.Helper()
	n, err := s.Join(s.Context(), id)
	if err != nil {
		s.Fatalf("Join(%s) = %v", id, err)
	}
	return n
}

func (s *bench) acquire(node store.NodeID, key store.Key) store.Epoch {
	s.Helper()
	e, _, err := s.Acquire(s.Context(), node, key, s.head(key).Epoch)
	if err != nil {
		s.Fatalf("Acquire(%s, %v) = %v", node, key, err)
	}
	return e
}

// all reads a key from a position to its end, in reads of maxBytes.
func (s *bench) all(key store.Key, from uint64, maxBytes int) []string {
	s.Helper()
	var records []string
	for {
		segments, err := s.Read(s.Context(), key, from, maxBytes)
		if err != nil {
			s.Fatalf("Read(%v, %d) = %v", key, from, err)
		}
		if len(segments) == 0 {
			return records
		}
		for _, g := range segments {
			if g.First > from || g.First+uint64(g.Len()) <= from {
				s.Fatalf("Read(%v): a segment of %d..%d where %d was next", key, g.First, g.First+uint64(g.Len())-1, from)
			}
			for i := int(from - g.First); i < g.Len(); i++ {
				records = append(records, string(g.Record(i)))
			}
			from = g.First + uint64(g.Len())
		}
	}
}

func (s *bench) wantRecords(key store.Key, want ...string) {
	s.Helper()
	if got := s.all(key, 1, 1<<20); fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("records of %v = %q, want %q", key, got, want)
	}
}

func (s *bench) wantErr(call string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s = %v, want %v", call, err, want)
	}
}

func (s *bench) wantHead(key store.Key, want store.Head) {
	s.Helper()
	got := s.head(key)
	same := got.Epoch == want.Epoch && got.Owner == want.Owner && got.Records == want.Records && got.First == want.First
	if !same || got.SnapshotAt != want.SnapshotAt || !bytes.Equal(got.Snapshot, want.Snapshot) {
		s.Errorf("Lookup(%v) = %+v, want %+v", key, got, want)
	}
}

// ended returns a context that is over.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
