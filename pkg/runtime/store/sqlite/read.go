package sqlite

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

const (
	headColumns    = "id, kind, name, epoch, owner, released, records, first, expires, snapshot_at, snapshot_sum, row_sum, sum"
	segmentColumns = "key, first, n, sum, lens, data"
	rowColumns     = "key, sum, principal, created, job_id, agent, status, summary"
)

// scanHead takes a row of keys.
func scanHead(c *columns) (id int64, key store.Key, h head, err error) {
	id = c.integer()
	kind, name := c.integer(), c.blob()
	key = store.Key{Kind: store.Kind(kind), ID: string(name)}
	h = head{epoch: store.Epoch(c.integer()), owner: store.NodeID(c.blob()), released: c.integer() != 0}
	h.records, h.first = uint64(c.integer()), uint64(c.integer())
	expires := c.blob()
	h.snapshotAt, h.snapshotSum, h.rowSum = uint64(c.integer()), c.integer(), c.integer()
	sum := uint64(c.integer())
	if c.err != nil {
		return id, key, h, c.err
	}
	if h.expires, err = unstamp(expires); err != nil {
		return id, key, h, err
	}
	if h.sum(id, key) != sum || kind < int64(store.KindJob) || kind > int64(store.KindMint) {
		return id, key, h, damaged("the head of key %d, %.40q", id, name)
	}
	if err := h.check(); err != nil {
		return id, key, h, fmt.Errorf("%w, says the head of %v", err, key)
	}
	return id, key, h, nil
}

// fill makes what others see of a head. The snapshot is the caller's.
func (h *head) fill(to *store.Head) {
	to.Epoch, to.Owner, to.Records, to.First, to.SnapshotAt = h.epoch, h.owner, h.records, h.first, h.snapshotAt
}

// Lookup returns a key's head; see store.Store.
func (s *Store) Lookup(ctx context.Context, key store.Key) (store.Head, error) {
	e, err := s.locked(ctx, key)
	if err != nil {
		return store.Head{}, err
	}
	if to, ok := s.bare(e); ok {
		return to, nil
	}
	var to store.Head
	found := false
	err = s.pool.with(ctx, func(r *reader) error {
		return r.head.each(func(row []value) (bool, error) {
			c := columns{row: row}
			id, key, h, err := scanHead(&c)
			if err != nil {
				return false, err
			}
			to.Snapshot, err = h.takeSnapshot(id, key, &c)
			h.fill(&to)
			found = true
			return false, err
		}, e.id)
	})
	if err == nil && !found {
		err = s.missing(e, "its head is not there")
	}
	return to, err
}

// locked is find for who does not hold the lock.
func (s *Store) locked(ctx context.Context, key store.Key) (*entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(key)
}

// bare returns the head of a key without a snapshot, which is all in memory.
func (s *Store) bare(e *entry) (to store.Head, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.head.fill(&to)
	return to, e.head.snapshotSum == 0
}

// takeSnapshot takes the bytes of a snapshot that a head speaks of; nil when it has none.
func (h *head) takeSnapshot(id int64, key store.Key, c *columns) ([]byte, error) {
	data := c.blob()
	if c.err != nil || h.snapshotSum == 0 {
		return nil, c.err
	}
	if data = full(data); blobSum(id, data) != h.snapshotSum {
		return nil, damaged("the snapshot of %v", key)
	}
	return data, nil
}

// missing says what it means that something of a key was not found: somebody deleted the key meanwhile, or the file is damaged.
func (s *Store) missing(e *entry, what string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.gone {
		return store.ErrNotFound
	}
	return damaged("%v: %s", e.key, what)
}

// Read returns segments; see store.Store.
func (s *Store) Read(ctx context.Context, key store.Key, from uint64, maxBytes int) ([]store.Segment, error) {
	e, err := s.locked(ctx, key)
	if err != nil {
		return nil, err
	}
	from = max(from, 1)
	if done, err := s.outside(e, from); done || err != nil {
		return nil, err
	}
	var segments []store.Segment
	err = s.pool.with(ctx, func(r *reader) error {
		segments, err = r.read(e, from, maxBytes)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(segments) > 0 && segments[0].First <= from && segments[0].First+uint64(segments[0].Len()) > from {
		return segments, nil
	}
	if done, err := s.outside(e, from); done || err != nil { // trimmed meanwhile
		return nil, err
	}
	return nil, s.missing(e, "records are not there")
}

// outside says whether there is nothing to read at a position, with an error when there was.
func (s *Store) outside(e *entry, from uint64) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from > e.head.records {
		return true, nil
	}
	if from < e.head.first {
		return true, &store.TrimmedError{First: e.head.first}
	}
	return false, nil
}

func (r *reader) read(e *entry, from uint64, maxBytes int) ([]store.Segment, error) {
	var segments []store.Segment
	size := 0
	err := r.segments.each(func(row []value) (bool, error) {
		_, g, err := scanSegment(row)
		if err != nil {
			return false, fmt.Errorf("%w, of %v", err, e.key)
		}
		if n := len(segments); n > 0 {
			if last := &segments[n-1]; last.First+uint64(last.Len()) != g.First {
				return false, damaged("%v: record %d follows %d", e.key, g.First, last.First+uint64(last.Len())-1)
			}
		}
		segments = append(segments, g)
		size += len(g.Data)
		return size < maxBytes, nil
	}, e.id, int64(from))
	return segments, err
}

// scanSegment takes a row of segments.
func scanSegment(row []value) (key int64, g store.Segment, err error) {
	c := columns{row: row}
	key, g.First = c.integer(), uint64(c.integer())
	n, sum, lens := c.integer(), c.integer(), c.blob()
	g.Data = c.blob()
	if c.err != nil {
		return key, g, c.err
	}
	if n < 1 || segmentSum(key, g.First, int(n), lens, g.Data) != sum {
		return key, g, damaged("the segment at record %d", g.First)
	}
	g.Ends = make([]uint32, 0, n)
	if n == 1 {
		g.Ends = append(g.Ends, uint32(len(g.Data)))
		return key, g, nil
	}
	end := uint64(0)
	for range n {
		size, used := binary.Uvarint(lens)
		if used <= 0 || size > uint64(len(g.Data))-end {
			return key, g, damaged("the lengths of the segment at record %d", g.First)
		}
		end += size
		lens = lens[used:]
		g.Ends = append(g.Ends, uint32(end))
	}
	return key, g, nil
}
