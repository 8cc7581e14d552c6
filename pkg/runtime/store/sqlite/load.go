package sqlite

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
)

// loader reads what a file holds when it is opened and sees whether it is whole: every checksum, and that nothing is missing.
type loader struct {
	store  *Store
	conn   *conn
	report *Report // collects damage when not nil; otherwise the first ends it
	byID   map[int64]*entry
	total  uint64
}

func (l *loader) load() error {
	l.byID = make(map[int64]*entry)
	for _, part := range []func() error{l.heads, l.secrets, l.meta, l.segments, l.snapshots, l.rows} {
		if err := l.found(part()); err != nil {
			return fmt.Errorf("%w (%s)", err, l.store.dir.file())
		}
	}
	return nil
}

// found takes damage down, if there is a report for it; what remains ends the loading.
func (l *loader) found(err error) error {
	if l.report == nil || err == nil {
		return err
	}
	if err = unreadable(err); errors.Is(err, ErrCorrupt) {
		l.report.add(err)
		return nil
	}
	return err
}

// scan calls do with every row of a query.
func (l *loader) scan(sql string, do func(row []value) error) error {
	return l.conn.query(sql, func(row []value) (bool, error) { return true, l.found(do(row)) })
}

func (l *loader) heads() error {
	return l.scan("SELECT "+headColumns+" FROM keys", func(row []value) error {
		id, key, h, err := scanHead(&columns{row: row})
		if err != nil {
			return err
		}
		byID := l.store.keys[key.Kind]
		if byID[key.ID] != nil {
			return damaged("%v is there twice", key)
		}
		e := &entry{id: id, key: key, head: h}
		byID[key.ID], l.byID[id] = e, e
		l.total += mix(h.sum(id, key))
		if !h.expires.IsZero() {
			l.store.expiry.add(e)
		}
		return nil
	})
}

func (l *loader) secrets() error {
	return l.scan("SELECT name, value FROM secrets", func(row []value) error {
		c := columns{row: row}
		name, secret := string(c.blob()), c.blob()
		l.store.secrets[name] = secret
		l.total += mix(secretSum(name, secret))
		return c.err
	})
}

// meta compares the total with what was found: a head or secret that is gone, or is an older one, shows here.
func (l *loader) meta() error {
	w := l.store.writer
	w.next = 1
	found := false
	err := l.scan("SELECT next, total, sum FROM meta", func(row []value) error {
		c := columns{row: row}
		w.next, w.total = c.integer(), uint64(c.integer())
		if c.integer() != metaSum(w.next, w.total) {
			return damaged("the row of meta")
		}
		found = true
		return c.err
	})
	switch {
	case err != nil:
		return err
	case !found && len(l.byID)+len(l.store.secrets) > 0:
		return damaged("the row of meta is missing")
	case w.total != l.total:
		return damaged("heads of keys or secrets are missing or were changed")
	}
	for id, e := range l.byID {
		if id >= w.next {
			return damaged("%v has the id %d, the next is %d", e.key, id, w.next)
		}
	}
	return nil
}

// segments sees that each key has all records it speaks of, and that they are found.
func (l *loader) segments() error {
	next := make(map[int64]uint64, len(l.byID))
	var places uint64
	err := l.scan("SELECT id, "+segmentColumns+" FROM segments NOT INDEXED ORDER BY id", func(row []value) error {
		id, g, err := scanSegment(row[1:])
		if err != nil {
			return err
		}
		places += placeSum(row[:4])
		e := l.byID[id]
		if e == nil {
			return damaged("records %d.. of key %d, which is not there", g.First, id)
		}
		if _, ok := next[id]; !ok {
			next[id] = e.head.first
		}
		expected := next[id]
		next[id] = g.First + uint64(g.Len())
		if expected != g.First {
			return damaged("%v: record %d where %d was next", e.key, g.First, expected)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id, e := range l.byID {
		if at, ok := next[id]; ok && at != e.head.records+1 || !ok && e.head.first <= e.head.records {
			err = l.found(damaged("%v: records are missing at the end", e.key))
		}
		if err != nil {
			return err
		}
	}
	return l.index("SELECT id, key, first, n FROM segments INDEXED BY segments_order ORDER BY key, first, n", places, "segments")
}

// index sees that an index tells the same of a table, which is in places, and in its order. Columns are the row's id and then the index's.
func (l *loader) index(sql string, places uint64, what string) error {
	var last []value
	err := l.scan(sql, func(row []value) error {
		places -= placeSum(row)
		inOrder := last == nil || ascending(last[1:], row[1:])
		last = append(last[:0], row...)
		if !inOrder {
			return damaged("the index of %s is out of order", what)
		}
		return nil
	})
	if err == nil && places != 0 {
		err = damaged("the index of %s does not match them", what)
	}
	return err
}

// ascending says whether a row comes before another in an index. Rows with the same columns are told apart by their ids.
func ascending(a, b []value) bool {
	for i := range a {
		var c int
		switch v := a[i].(type) {
		case int64:
			w, _ := b[i].(int64)
			c = cmp.Compare(v, w)
		default:
			x, _ := v.([]byte)
			w, _ := b[i].([]byte)
			c = bytes.Compare(x, w)
		}
		if c != 0 {
			return c < 0
		}
	}
	return true
}

func (l *loader) snapshots() error {
	left := 0
	for _, e := range l.byID {
		if e.head.snapshotSum != 0 {
			left++
		}
	}
	err := l.scan("SELECT key, data FROM snapshots", func(row []value) error {
		c := columns{row: row}
		id, data := c.integer(), full(c.blob())
		left--
		if e := l.byID[id]; c.err == nil && (e == nil || e.head.snapshotSum != blobSum(id, data)) {
			return damaged("the snapshot of %s", l.name(id))
		}
		return c.err
	})
	return l.allThere(err, left, "snapshots")
}

func (l *loader) rows() error {
	left := 0
	for _, e := range l.byID {
		if e.head.rowSum != 0 {
			left++
		}
	}
	var places uint64
	err := l.scan("SELECT "+rowColumns+" FROM jobs NOT INDEXED", func(row []value) error {
		places += placeSum([]value{row[0], row[2], row[3], row[4]})
		id, sum, _, err := scanRow(row)
		if e := l.byID[id]; err == nil && (e == nil || e.head.rowSum != sum) {
			err = damaged("the row of %s", l.name(id))
		}
		left--
		return err
	})
	if err := l.allThere(err, left, "rows of jobs"); err != nil {
		return err
	}
	return l.index("SELECT key, principal, created, job_id FROM jobs INDEXED BY jobs_order ORDER BY principal, created, job_id", places, "jobs")
}

func (l *loader) name(id int64) string {
	if e := l.byID[id]; e != nil {
		return e.key.String()
	}
	return fmt.Sprintf("key %d, which is not there", id)
}

func (l *loader) allThere(err error, left int, what string) error {
	if err == nil && left > 0 {
		return damaged("%d %s are missing", left, what)
	}
	return err
}
