package sqlite

import (
	"encoding/binary"
	"fmt"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// tx is what one transaction is about to do: rows that are written already, and heads that are written at its end, once a key
// however many operations change it. Only the writer uses it.
//
// Operations are checked against heads in memory before anything is written for them, so a refused one leaves no trace and needs no
// savepoint. What SQLite refuses fails the whole transaction: err is set.
type tx struct {
	w       *writer
	begun   bool
	err     error
	drafts  []*draft
	byKey   map[store.Key]*draft // the newest
	secrets map[string][]byte
	next    int64
	total   uint64
	lens    []byte
}

// draft is a key as it will be.
type draft struct {
	*entry
	head  head
	node  *node
	fresh bool // not in the table yet
	gone  bool
}

// write runs a statement that changes one row, in the transaction.
func (t *tx) write(s *stmt, values ...value) error {
	if t.begin() == nil {
		t.err = s.one(values...)
	}
	return t.err
}

func (t *tx) begin() error {
	if t.err == nil && !t.begun {
		t.err = t.w.begin.run()
		t.begun = t.err == nil
	}
	return t.err
}

// draft returns what the transaction makes of a key.
func (t *tx) draft(e *entry) *draft {
	if d := t.byKey[e.key]; d != nil {
		return d
	}
	d := &draft{entry: e, head: e.head, node: e.node}
	t.add(d)
	return d
}

func (t *tx) add(d *draft) {
	t.drafts = append(t.drafts, d)
	t.byKey[d.key] = d
}

// peek is find for a key that may have expired.
func (t *tx) peek(key store.Key) *draft {
	if d := t.byKey[key]; d != nil {
		if d.gone {
			return nil
		}
		return d
	}
	if e := t.w.store.entry(key); e != nil {
		return t.draft(e)
	}
	return nil
}

func (t *tx) find(key store.Key) (*draft, error) {
	d := t.peek(key)
	if d == nil || d.head.expired() {
		return nil, store.ErrNotFound
	}
	return d, nil
}

func (t *tx) owned(key store.Key, epoch store.Epoch) (*draft, error) {
	d, err := t.find(key)
	if err != nil {
		return nil, err
	}
	return d, d.head.owned(epoch)
}

// op does one operation of a batch.
func (t *tx) op(op *store.Op) error {
	if err := op.Check(); err != nil {
		return err
	}
	d, err := t.target(op)
	if err != nil {
		return err
	}
	if op.Delete {
		return t.delete(d)
	}
	if len(op.Append.Ends) > 0 {
		if err := t.append(d, &op.Append); err != nil {
			return err
		}
	}
	if op.Snapshot != nil {
		if err := t.setSnapshot(d, op.Snapshot); err != nil {
			return err
		}
	}
	if op.Row != nil {
		return t.setRow(d, op.Row)
	}
	return nil
}

// target returns the key an operation may change, a new one for Create.
func (t *tx) target(op *store.Op) (*draft, error) {
	if op.Create {
		return t.create(op)
	}
	d, err := t.owned(op.Key, op.Epoch)
	if err != nil {
		return nil, err
	}
	if d.head.records != op.Head {
		return nil, fmt.Errorf("%w: it is %d, not %d", store.ErrConflict, d.head.records, op.Head)
	}
	return d, nil
}

func (t *tx) create(op *store.Op) (*draft, error) {
	if err := t.forgetExpired(); err != nil {
		return nil, err
	}
	if old := t.peek(op.Key); old != nil {
		if !old.head.expired() {
			return nil, store.ErrExists
		}
		if err := t.delete(old); err != nil {
			return nil, err
		}
	}
	d := &draft{entry: &entry{id: t.next, key: op.Key}, node: t.w.store.living(op.Node), fresh: true}
	d.head = head{epoch: 1, owner: op.Node, first: 1, expires: op.Expires.Round(0)}
	t.next++
	t.add(d)
	return d, nil
}

// forgetExpired removes up to two expired keys. At each Create it keeps pace with whatever is created.
func (t *tx) forgetExpired() error {
	for _, e := range t.w.store.expiry.due(2) {
		if d := t.draft(e); d.entry == e && !d.gone {
			if err := t.delete(d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tx) delete(d *draft) error {
	d.gone = true
	if !d.fresh {
		t.total -= mix(d.entry.head.sum(d.id, d.key))
		if err := t.write(t.w.keyDelete, d.id); err != nil {
			return err
		}
	}
	if d.head.first <= d.head.records {
		if err := t.deleteSegments(d, d.head.records+1); err != nil {
			return err
		}
	}
	if d.head.snapshotSum != 0 {
		if err := t.write(t.w.snapshotDelete, d.id); err != nil {
			return err
		}
	}
	if d.head.rowSum != 0 {
		return t.write(t.w.rowDelete, d.id)
	}
	return nil
}

func (t *tx) append(d *draft, a *store.Segment) error {
	n := len(a.Ends)
	data := a.Data[a.Off:a.Ends[n-1]]
	t.lens = t.lens[:0]
	if n > 1 {
		from := a.Off
		for _, end := range a.Ends {
			t.lens = binary.AppendUvarint(t.lens, uint64(end-from))
			from = end
		}
	}
	d.head.records += uint64(n)
	sum := segmentSum(d.id, a.First, n, t.lens, data)
	return t.write(t.w.segmentInsert, d.id, int64(a.First), int64(n), sum, t.lens, data)
}

func (t *tx) setSnapshot(d *draft, data []byte) error {
	d.head.snapshotAt, d.head.snapshotSum = d.head.records, blobSum(d.id, data)
	return t.write(t.w.snapshotPut, d.id, data)
}

func (t *tx) setRow(d *draft, r *store.JobRow) error {
	d.head.rowSum = rowSum(d.id, r)
	return t.write(t.w.rowPut, d.id, d.head.rowSum, []byte(r.Principal), stamp(r.Created), []byte(r.JobID), []byte(r.Agent),
		[]byte(r.Status), r.Summary)
}

// trim forgets whole segments before a position.
func (t *tx) trim(d *draft, before uint64) error {
	if before <= d.head.first || d.head.first > d.head.records {
		return nil
	}
	first := d.head.records + 1
	if before < first {
		n, err := t.holding(d, before)
		if err != nil {
			return err
		}
		first = n
	}
	if first == d.head.first {
		return nil
	}
	d.head.first = first
	return t.deleteSegments(d, first)
}

// deleteSegments removes those that begin before a position.
func (t *tx) deleteSegments(d *draft, before uint64) error {
	if t.begin() == nil {
		t.err = t.w.segmentsDelete.run(d.id, int64(before))
	}
	return t.err
}

// holding returns where the segment with the record at position begins.
func (t *tx) holding(d *draft, position uint64) (first uint64, err error) {
	if err := t.begin(); err != nil {
		return 0, err
	}
	t.err = t.w.segmentHolding.each(func(row []value) (bool, error) {
		n, err := integer(row[0])
		first = uint64(n)
		return false, err
	}, d.id, int64(position))
	if t.err == nil && (first < d.head.first || first > position) {
		t.err = damaged("the segment of %v with record %d is not there", d.key, position)
	}
	return first, t.err
}

// snapshot reads the snapshot a key has at this point of the transaction; nil when it has none.
func (t *tx) snapshot(d *draft) (data []byte, err error) {
	if d.head.snapshotSum == 0 {
		return nil, nil
	}
	if err := t.begin(); err != nil {
		return nil, err
	}
	t.err = t.w.snapshotGet.each(func(row []value) (bool, error) {
		b, err := blob(row[0])
		data = full(b)
		return false, err
	}, d.id)
	if t.err == nil && blobSum(d.id, data) != d.head.snapshotSum {
		t.err = damaged("the snapshot of %v", d.key)
	}
	return data, t.err
}

// flush writes the heads that changed and the total over all of them, and commits.
func (t *tx) flush() error {
	for _, d := range t.drafts {
		if err := t.flushHead(d); err != nil {
			return err
		}
	}
	if !t.begun || t.err != nil {
		return t.err
	}
	if err := t.write(t.w.metaPut, t.next, int64(t.total), metaSum(t.next, t.total)); err != nil {
		return err
	}
	t.err = t.w.commit.run()
	return t.err
}

func (t *tx) flushHead(d *draft) error {
	h := &d.head
	if d.gone || !d.fresh && *h == d.entry.head {
		return nil
	}
	sum := h.sum(d.id, d.key)
	t.total += mix(sum)
	released := int64(flag(h.released))
	if d.fresh {
		return t.write(t.w.keyInsert, d.id, int64(d.key.Kind), []byte(d.key.ID), int64(h.epoch), []byte(h.owner), released, int64(h.records),
			int64(h.first), stamp(h.expires), int64(h.snapshotAt), h.snapshotSum, h.rowSum, int64(sum))
	}
	t.total -= mix(d.entry.head.sum(d.id, d.key))
	return t.write(t.w.keyUpdate, d.id, int64(h.epoch), []byte(h.owner), released, int64(h.records), int64(h.first),
		int64(h.snapshotAt), h.snapshotSum, h.rowSum, int64(sum))
}
