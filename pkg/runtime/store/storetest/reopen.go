package storetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Reopen tests what an engine keeps over Close and over being opened again at the same place. open opens the store in a directory, which
// is empty the first time.
func Reopen(t *testing.T, open func(t *testing.T, dir string) store.Store) {
	for _, c := range reopenTests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := &durable{dir: t.TempDir(), open: open}
			d.bench = &bench{T: t, Store: open(t, d.dir)}
			t.Cleanup(func() { d.close() })
			c.test(t, d)
		})
	}
}

// durable is a store under test that can be opened again.
type durable struct {
	*bench
	dir  string
	open func(t *testing.T, dir string) store.Store
}

func (d *durable) close() {
	d.Helper()
	if err := d.Store.Close(); err != nil {
		d.Fatalf("Close() = %v", err)
	}
}

// again closes the store and opens it.
func (d *durable) again() {
	d.Helper()
	d.close()
	d.Store = d.open(d.T, d.dir)
}

var reopenTests = []struct {
	name string
	test func(t *testing.T, d *durable)
}{
	{"an empty store", func(_ *testing.T, d *durable) {
		d.again()
		d.wantOrphans()
		d.wantPage("p", store.Filter{}, store.Cursor{}, 9, false)
	}},
	{"records, snapshots and epochs", func(_ *testing.T, d *durable) {
		d.join("n")
		want := d.fill(40)
		d.acquire("n", jobKey)
		d.do(store.Op{Key: jobKey, Epoch: 2, Head: 40, Append: segment(41, "", "last"), Snapshot: []byte("snap")})
		d.do(store.Op{Key: sessionKey, Create: true, Node: "n", Snapshot: []byte{}})
		for range 2 {
			d.again()
			d.wantHead(jobKey, store.Head{Epoch: 2, Owner: "n", Records: 42, First: 1, Snapshot: []byte("snap"), SnapshotAt: 42})
			d.wantRecords(jobKey, append(slices.Clone(want), "", "last")...)
			if h := d.head(sessionKey); h.Snapshot == nil {
				d.Errorf("an empty snapshot is none after opening again")
			}
		}
	}},
	{"every owned key is an orphan, and only those", func(t *testing.T, d *durable) {
		released := store.Key{Kind: store.KindJob, ID: "job_released"}
		d.join("n")
		d.create("n", jobKey, sessionKey, idemKey, mintKey, released)
		if err := d.Release(t.Context(), released, 1); err != nil {
			t.Fatal(err)
		}
		d.wantOrphans()
		d.again()
		d.wantOrphans(jobKey, sessionKey, mintKey)
		d.join("n") // the same name is another node
		d.wantOrphans(jobKey, sessionKey, mintKey)
		d.acquire("n", mintKey)
		d.do(store.Op{Key: mintKey, Epoch: 2, Delete: true})
		if e := d.acquire("n", jobKey); e != 2 {
			t.Errorf("Acquire after opening again = epoch %d, want 2", e)
		}
		d.wantErr("Commit at the epoch from before", d.one(store.Op{Key: jobKey, Epoch: 1, Append: segment(1, "x")}), store.ErrFenced)
		d.wantErr("Commit to what was released", d.one(store.Op{Key: released, Epoch: 1, Append: segment(1, "x")}), store.ErrFenced)
		d.wantOrphans(sessionKey)
		d.again()
		d.wantOrphans(jobKey, sessionKey)
		d.join("n")
		if e := d.acquire("n", jobKey); e != 3 {
			t.Errorf("Acquire after opening twice = epoch %d, want 3", e)
		}
	}},
	{"secrets", func(t *testing.T, d *durable) {
		a, err := d.Secret(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		d.again()
		again, err := d.Secret(t.Context(), "a")
		b, _ := d.Secret(t.Context(), "b")
		if err != nil || !bytes.Equal(a, again) || bytes.Equal(a, b) {
			t.Errorf("a secret changed, or two are the same: %v", err)
		}
	}},
	{"rows and cursors", func(t *testing.T, d *durable) {
		for i := range 5 {
			d.row(store.JobRow{JobID: fmt.Sprint("j", i), Agent: "x@1", Status: "running", Created: day(1 + i/2).Add(time.Nanosecond), Summary: []byte{0, 1}})
		}
		d.row(store.JobRow{JobID: "undated"})
		before, err := d.Jobs(t.Context(), "p", store.Filter{}, store.Cursor{}, 3)
		if err != nil || len(before.Rows) != 3 {
			t.Fatalf("Jobs = %+v, %v", before, err)
		}
		last := before.Rows[2]
		d.again()
		again, err := d.Jobs(t.Context(), "p", store.Filter{}, store.Cursor{}, 3)
		if got, want := fmt.Sprintf("%+v", again), fmt.Sprintf("%+v", before); err != nil || got != want {
			t.Errorf("Jobs = %s, %v, want %s", got, err, want)
		}
		d.wantPage("p", store.Filter{}, store.Cursor{Created: last.Created, JobID: last.JobID}, 9, false, "j2", "j3", "j4")
		d.wantPage("p", store.Filter{Agent: "x", Status: []string{"running"}}, store.Cursor{}, 9, false, "j0", "j1", "j2", "j3", "j4")
	}},
	{"what was deleted and trimmed stays so", func(t *testing.T, d *durable) {
		want := d.fill(40)
		d.do(store.Op{Key: sessionKey, Create: true, Append: segment(1, "x"), Snapshot: []byte("s")})
		d.do(store.Op{Key: sessionKey, Epoch: 1, Head: 1, Delete: true})
		if err := d.Trim(t.Context(), jobKey, 1, 20); err != nil {
			t.Fatal(err)
		}
		first := d.head(jobKey).First
		d.again()
		_, err := d.Lookup(t.Context(), sessionKey)
		d.wantErr("Lookup of a deleted key", err, store.ErrNotFound)
		d.wantHead(jobKey, store.Head{Epoch: 1, Owner: "n", Records: 40, First: first})
		if got := d.all(jobKey, first, 1); !slices.Equal(got, want[first-1:]) {
			t.Errorf("from %d: %q, want %q", first, got, want[first-1:])
		}
		d.create("n", sessionKey)
		d.wantHead(sessionKey, store.Head{Epoch: 1, Owner: "n", First: 1})
		d.wantRecords(sessionKey)
	}},
	{"reservations, while they last", func(t *testing.T, d *durable) {
		old := store.Key{Kind: store.KindIdem, ID: "old"}
		d.do(store.Op{Key: idemKey, Create: true, Expires: time.Now().Add(time.Hour), Append: segment(1, "job_1")})
		d.do(store.Op{Key: old, Create: true, Expires: time.Now().Add(-time.Second)})
		d.again()
		d.wantErr("Create of one that lasts", d.one(store.Op{Key: idemKey, Create: true}), store.ErrExists)
		d.wantRecords(idemKey, "job_1")
		_, err := d.Lookup(t.Context(), old)
		d.wantErr("Lookup of one that is over", err, store.ErrNotFound)
		d.create("", old)
	}},
	{"a batch that was refused in part", func(t *testing.T, d *durable) {
		d.create("n", jobKey, sessionKey)
		err := d.Commit(t.Context(), &store.Batch{Ops: []store.Op{
			{Key: jobKey, Epoch: 1, Append: segment(1, "a")},
			{Key: sessionKey, Epoch: 7, Append: segment(1, "b")},
			{Key: jobKey, Epoch: 1, Head: 1, Append: segment(2, "c")},
		}})
		d.wantErr("Commit", err, store.ErrFenced)
		d.again()
		d.wantRecords(jobKey, "a")
		d.wantRecords(sessionKey)
	}},
	{"random operations against plain slices", reopenModel},
}

// reopenModel does random operations and opens the store again between them. Each time the next owner takes over.
func reopenModel(t *testing.T, d *durable) {
	rng := rand.New(rand.NewPCG(3, 9))
	keys := make([]*model, 4)
	d.join("n0")
	for i := range keys {
		keys[i] = &model{key: store.Key{Kind: store.KindJob, ID: fmt.Sprint("m", i)}, epoch: 1, kept: 1}
		d.create("n0", keys[i].key)
	}
	for round := range 12 {
		node := store.NodeID(fmt.Sprint("n", round))
		for range 60 {
			m := keys[rng.IntN(len(keys))]
			d.randomOp(rng, m, node)
			d.compare(rng, m)
		}
		d.again()
		node = store.NodeID(fmt.Sprint("n", round+1))
		d.join(node)
		for _, m := range keys {
			d.compare(rng, m)
			m.epoch = d.acquire(node, m.key)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}
