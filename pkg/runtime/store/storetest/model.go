package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

var modelTests = []contract{{"random operations against plain slices", modelTest}}

// model is what a key should hold.
type model struct {
	key      store.Key
	epoch    store.Epoch
	records  []string
	kept     uint64 // positions from here on were never trimmed away
	snapshot string
	at       uint64
}

// modelTest does random operations, wrong ones among them, on a few keys and compares with slices after each.
func modelTest(t *testing.T, s *bench) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 7))
		s.join(store.NodeID(fmt.Sprint("n", seed)))
		keys := make([]*model, 3)
		for i := range keys {
			keys[i] = &model{key: store.Key{Kind: store.KindJob, ID: fmt.Sprint("m", seed, "_", i)}, epoch: 1, kept: 1}
			s.create(store.NodeID(fmt.Sprint("n", seed)), keys[i].key)
		}
		for range 200 {
			m := keys[rng.IntN(len(keys))]
			s.randomOp(rng, m, store.NodeID(fmt.Sprint("n", seed)))
			s.compare(rng, m)
			if t.Failed() {
				t.Fatalf("with seed %d", seed)
			}
		}
	}
}

func (s *bench) randomOp(rng *rand.Rand, m *model, node store.NodeID) {
	s.Helper()
	head := uint64(len(m.records))
	switch rng.IntN(10) {
	case 0:
		m.epoch = s.acquire(node, m.key)
	case 1:
		before := rng.Uint64N(head + 3)
		if err := s.Trim(s.Context(), m.key, m.epoch, before); err != nil {
			s.Fatalf("Trim(%d) = %v", before, err)
		}
		m.kept = max(m.kept, min(before, head+1))
	case 2:
		m.snapshot, m.at = fmt.Sprint("snapshot ", rng.Uint32()), head
		s.do(store.Op{Key: m.key, Epoch: m.epoch, Head: head, Snapshot: []byte(m.snapshot)})
	case 3:
		s.wantErr("Commit at an old epoch", s.one(store.Op{Key: m.key, Epoch: m.epoch - 1, Head: head, Append: segment(head+1, "x")}), store.ErrFenced)
	case 4:
		s.wantErr("Commit at a wrong head", s.one(store.Op{Key: m.key, Epoch: m.epoch, Head: head + 1, Append: segment(head+2, "x")}), store.ErrConflict)
	default:
		var add []string
		for range 1 + rng.IntN(4) {
			add = append(add, fmt.Sprint("r", head, "_", rng.Uint32()))
		}
		s.do(store.Op{Key: m.key, Epoch: m.epoch, Head: head, Append: segment(head+1, add...)})
		m.records = append(m.records, add...)
	}
}

func (s *bench) compare(rng *rand.Rand, m *model) {
	s.Helper()
	h := s.head(m.key)
	if h.Epoch != m.epoch || h.Records != uint64(len(m.records)) || h.First > max(m.kept, 1) || string(h.Snapshot) != m.snapshot || h.SnapshotAt != m.at {
		s.Errorf("head %+v, want epoch %d, %d records, first at most %d, %q at %d", h, m.epoch, len(m.records), m.kept, m.snapshot, m.at)
		return
	}
	from := m.kept + rng.Uint64N(uint64(len(m.records))+2-m.kept)
	if got := s.all(m.key, from, rng.IntN(64)); !slices.Equal(got, m.records[from-1:]) {
		s.Errorf("from %d: %q, want %q", from, got, m.records[from-1:])
	}
	if h.First > 1 {
		_, err := s.Read(s.Context(), m.key, h.First-1, 1)
		var trimmed *store.TrimmedError
		if !errors.As(err, &trimmed) || trimmed.First != h.First {
			s.Errorf("Read(%d) = %v, want a TrimmedError with First %d", h.First-1, err, h.First)
		}
	}
}
