package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
)

// The keys of a history.
var (
	oneKey  = store.Key{Kind: store.KindJob, ID: "one"}
	twoKey  = store.Key{Kind: store.KindJob, ID: "two"}
	sessKey = store.Key{Kind: store.KindSession, ID: "sess"}
	idemKey = store.Key{Kind: store.KindIdem, ID: "alice\x00k"}
)

// history is a life of a small store, step by step. Every kind of change is in it. The next step is done only when the one before was
// acknowledged.
func history() []func(ctx context.Context, s *sqlite.Store) error {
	var steps []func(ctx context.Context, s *sqlite.Store) error
	commit := func(ops ...store.Op) {
		steps = append(steps, func(ctx context.Context, s *sqlite.Store) error { return s.Commit(ctx, &store.Batch{Ops: ops}) })
	}
	row := func(id, status string) *store.JobRow {
		return &store.JobRow{JobID: id, Principal: "p", Agent: "a@1", Status: status, Created: time.Unix(1000, 5), Summary: []byte(strings.Repeat(status, 20))}
	}
	commit(store.Op{Key: oneKey, Create: true, Node: "n", Append: records(1, 3, 40), Snapshot: []byte("one's input"), Row: row("one", "running")},
		store.Op{Key: sessKey, Create: true, Node: "n", Append: records(1, 1, 10)})
	commit(store.Op{Key: idemKey, Create: true, Expires: time.Now().Add(time.Hour), Append: records(1, 1, 8)})
	for i := range uint64(8) {
		commit(store.Op{Key: oneKey, Epoch: 1, Head: 3 + 2*i, Append: records(4+2*i, 2, 90)},
			store.Op{Key: sessKey, Epoch: 1, Head: 1 + i, Append: records(2+i, 1, 16), Snapshot: fmt.Appendf(nil, "view %d", i)})
	}
	commit(store.Op{Key: twoKey, Create: true, Node: "n", Append: records(1, 1, 3000), Row: row("two", "running")})
	steps = append(steps,
		func(ctx context.Context, s *sqlite.Store) error { _, err := s.Secret(ctx, "cursors"); return err },
		func(ctx context.Context, s *sqlite.Store) error { return s.Trim(ctx, oneKey, 1, 9) },
		func(ctx context.Context, s *sqlite.Store) error { return s.Release(ctx, sessKey, 1) })
	commit(store.Op{Key: oneKey, Epoch: 1, Head: 19, Append: records(20, 1, 30), Snapshot: []byte("one's end"), Row: row("one", "success")})
	commit(store.Op{Key: twoKey, Epoch: 1, Head: 1, Delete: true})
	commit(store.Op{Key: twoKey, Create: true, Node: "m", Append: records(1, 2, 20)})
	return steps
}

// records makes a segment of n records of some size each, all different.
func records(first uint64, n, size int) store.Segment {
	g := store.Segment{First: first}
	for i := range n {
		g.Data = fmt.Appendf(g.Data, "%0*d", size, first+uint64(i))
		g.Ends = append(g.Ends, uint32(len(g.Data)))
	}
	return g
}

// dump is everything a store tells of the keys of a history, or the error of the first call that fails.
func dump(ctx context.Context, s *sqlite.Store) (string, error) {
	var b strings.Builder
	for _, key := range []store.Key{oneKey, twoKey, sessKey, idemKey} {
		h, err := s.Lookup(ctx, key)
		if errors.Is(err, store.ErrNotFound) {
			fmt.Fprintf(&b, "%v: none\n", key)
			continue
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%v: %d %q %d.. of %d, %q at %d\n", key, h.Epoch, h.Owner, h.First, h.Records, h.Snapshot, h.SnapshotAt)
		for at := h.First; at <= h.Records; {
			segments, err := s.Read(ctx, key, at, 1<<20)
			if err != nil {
				return "", err
			}
			for i := range segments {
				for j := range segments[i].Len() {
					fmt.Fprintf(&b, "  %d %q\n", segments[i].First+uint64(j), segments[i].Record(j))
					at++
				}
			}
		}
	}
	p, err := s.Jobs(ctx, "p", store.Filter{}, store.Cursor{}, 9)
	if err != nil {
		return "", err
	}
	orphans, err := s.Orphans(ctx)
	fmt.Fprintf(&b, "%+v %v", p, orphans)
	return b.String(), err
}

// states are the dumps of an undisturbed life, before the first step and after each, as they read when the store is opened again.
func states(t *testing.T) []string {
	t.Helper()
	all, err := undisturbed()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var undisturbed = sync.OnceValues(func() (all []string, err error) {
	dir, err := os.MkdirTemp("", "arcp-test-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	steps := history()
	for i := range len(steps) + 1 {
		s, err := sqlite.Open(context.Background(), dir, nil)
		if err != nil {
			return nil, err
		}
		d, err := dump(context.Background(), s)
		all = append(all, d)
		if err == nil && i < len(steps) {
			err = steps[i](context.Background(), s)
		}
		if err := errors.Join(err, s.Close()); err != nil {
			return nil, fmt.Errorf("step %d: %w", i, err)
		}
	}
	return all, nil
})
