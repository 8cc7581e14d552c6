package sqlite

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Show makes JSON of what a store holds only as bytes: a record, or a snapshot. Nil says that it cannot, or that it is nobody's business.
type Show func(key store.Key, snapshot bool, b []byte) []byte

// line is one of an export. What a store knows itself is in it as it is; what only a runtime understands is as Show has it, or its length.
type line struct {
	Kind     string          `json:"kind"`
	ID       string          `json:"id"`
	Head     *headLine       `json:"head,omitempty"`
	Row      *rowLine        `json:"row,omitempty"`
	At       uint64          `json:"at,omitempty"` // of a record
	Record   json.RawMessage `json:"record,omitempty"`
	Snapshot json.RawMessage `json:"snapshot,omitempty"`
	Bytes    *int            `json:"bytes,omitempty"` // of what is not shown
	Damaged  string          `json:"damaged,omitempty"`
}

type headLine struct {
	Epoch      uint64     `json:"epoch"`
	Owner      string     `json:"owner,omitempty"`
	Released   bool       `json:"released,omitempty"`
	First      uint64     `json:"first"`
	Records    uint64     `json:"records"`
	SnapshotAt uint64     `json:"snapshot_at,omitempty"`
	Expires    *time.Time `json:"expires,omitempty"`
}

type rowLine struct {
	Principal string    `json:"principal"`
	Agent     string    `json:"agent"`
	Status    string    `json:"status"`
	Created   time.Time `json:"created"`
}

// Export writes what the store of a directory holds as lines of JSON: one for each key, with its head, followed by one for each record
// retained. The store's secrets are not in it; what of records and snapshots is, is for show to say. Nothing is changed.
//
// What is damaged is left out and said in a line of its own, and the error is ErrCorrupt then, after all else was written. It fails with
// ErrLocked while another process has the store open. ctx is looked at before each key.
func Export(ctx context.Context, path string, w io.Writer, show Show) error {
	s, err := inspect(path)
	if err != nil {
		return err
	}
	x := &exporter{inspected: s, out: bufio.NewWriter(w), show: show}
	err = x.run(ctx)
	return errors.Join(err, x.out.Flush(), s.release())
}

type exporter struct {
	*inspected
	out     *bufio.Writer
	show    Show
	reader  *reader
	damaged error
}

func (x *exporter) run(ctx context.Context) error {
	if x.broken != nil {
		return x.broken
	}
	l := &loader{store: x.Store, conn: x.conn, report: &Report{}, byID: make(map[int64]*entry)}
	for _, part := range []func() error{l.version, l.heads} {
		if err := l.found(part()); err != nil {
			return err
		}
	}
	for _, problem := range l.report.Problems {
		if err := x.write(&line{Damaged: problem}); err != nil {
			return err
		}
		x.damaged = damaged("%s", problem)
	}
	x.reader = &reader{conn: x.conn}
	if err := x.reader.prepare(); err != nil {
		return errors.Join(x.damaged, unreadable(err))
	}
	for _, e := range sorted(l.byID) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := x.key(e); err != nil {
			return err
		}
	}
	return x.damaged
}

func sorted(byID map[int64]*entry) []*entry {
	all := make([]*entry, 0, len(byID))
	for _, e := range byID {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.key.Kind, b.key.Kind), cmp.Compare(a.key.ID, b.key.ID))
	})
	return all
}

func (x *exporter) write(l *line) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = x.out.Write(append(b, '\n'))
	return err
}

// on begins a line about a key.
func on(e *entry) *line { return &line{Kind: e.key.Kind.String(), ID: e.key.ID} }

// key writes the lines of a key. An error is the writer's; damage is written.
func (x *exporter) key(e *entry) error {
	first := on(e)
	h := &e.head
	first.Head = &headLine{
		Epoch: uint64(h.epoch), Owner: string(h.owner), Released: h.released, First: h.first, Records: h.records, SnapshotAt: h.snapshotAt,
	}
	if !h.expires.IsZero() {
		first.Head.Expires = &h.expires
	}
	err := errors.Join(x.row(e, first), x.snapshot(e, first))
	if e := x.write(first); e != nil {
		return e
	}
	if err != nil {
		if err := x.damage(e, err); err != nil {
			return err
		}
	}
	return x.records(e)
}

func (x *exporter) damage(e *entry, err error) error {
	x.damaged = err
	l := on(e)
	l.Damaged = err.Error()
	return x.write(l)
}

func (x *exporter) row(e *entry, to *line) error {
	if e.head.rowSum == 0 {
		return nil
	}
	err := x.reader.row.each(func(row []value) (bool, error) {
		_, sum, r, err := scanRow(row)
		if err == nil && sum == e.head.rowSum {
			to.Row = &rowLine{Principal: r.Principal, Agent: r.Agent, Status: r.Status, Created: r.Created}
		}
		return false, err
	}, e.id)
	if err == nil && to.Row == nil {
		err = damaged("the row of %v", e.key)
	}
	return err
}

func (x *exporter) snapshot(e *entry, to *line) error {
	if e.head.snapshotSum == 0 {
		return nil
	}
	found := false
	err := x.reader.head.each(func(row []value) (bool, error) {
		c := columns{row: row[len(row)-1:]}
		data, err := e.head.takeSnapshot(e.id, e.key, &c)
		if err == nil {
			found = true
			to.Snapshot, to.Bytes = x.shown(e, true, data)
		}
		return false, err
	}, e.id)
	if err == nil && !found {
		err = damaged("the snapshot of %v", e.key)
	}
	return err
}

func (x *exporter) shown(e *entry, snapshot bool, b []byte) (json.RawMessage, *int) {
	if x.show != nil {
		if text := x.show(e.key, snapshot, b); text != nil && json.Valid(text) {
			return text, nil
		}
	}
	n := len(b)
	return nil, &n
}

// records writes those of a key, up to the first that is damaged or missing.
func (x *exporter) records(e *entry) error {
	for at := e.head.first; at <= e.head.records; {
		segments, err := x.reader.read(e, at, 1<<20)
		if err == nil && (len(segments) == 0 || segments[0].First != at) {
			err, segments = damaged("%v: record %d is missing", e.key, at), nil
		}
		for i := range segments {
			if err := x.segment(e, &segments[i]); err != nil {
				return err
			}
			at += uint64(segments[i].Len())
		}
		if err != nil {
			return x.damage(e, err)
		}
	}
	return nil
}

func (x *exporter) segment(e *entry, g *store.Segment) error {
	for i := range g.Len() {
		l := on(e)
		l.At = g.First + uint64(i)
		l.Record, l.Bytes = x.shown(e, false, g.Record(i))
		if err := x.write(l); err != nil {
			return err
		}
	}
	return nil
}
