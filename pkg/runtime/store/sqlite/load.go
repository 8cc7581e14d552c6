package sqlite

import "fmt"

// loader reads what a file holds when it is opened and sees whether it is whole: every checksum, and that nothing is missing.
type loader struct {
	store *Store
	conn  *conn
	byID  map[int64]*entry
	total uint64
}

func (l *loader) load() error {
	l.byID = make(map[int64]*entry)
	for _, part := range []func() error{l.heads, l.secrets, l.meta, l.segments, l.snapshots, l.rows} {
		if err := part(); err != nil {
			return fmt.Errorf("%w (%s)", err, l.store.dir.file())
		}
	}
	return nil
}

func (l *loader) heads() error {
	return l.conn.query("SELECT "+headColumns+" FROM keys", func(row []value) (bool, error) {
		id, key, h, err := scanHead(&columns{row: row})
		if err != nil {
			return false, err
		}
		byID := l.store.keys[key.Kind]
		if byID[key.ID] != nil {
			return false, damaged("%v is there twice", key)
		}
		e := &entry{id: id, key: key, head: h}
		byID[key.ID], l.byID[id] = e, e
		l.total += mix(h.sum(id, key))
		if !h.expires.IsZero() {
			l.store.expiry.add(e)
		}
		return true, nil
	})
}

func (l *loader) secrets() error {
	return l.conn.query("SELECT name, value FROM secrets", func(row []value) (bool, error) {
		c := columns{row: row}
		name, secret := string(c.blob()), c.blob()
		l.store.secrets[name] = secret
		l.total += mix(secretSum(name, secret))
		return true, c.err
	})
}

// meta compares the total with what was found: a head or secret that is gone, or is an older one, shows here.
func (l *loader) meta() error {
	w := l.store.writer
	w.next = 1
	found := false
	err := l.conn.query("SELECT next, total, sum FROM meta", func(row []value) (bool, error) {
		c := columns{row: row}
		w.next, w.total = c.integer(), uint64(c.integer())
		if c.integer() != metaSum(w.next, w.total) {
			return false, damaged("the row of meta")
		}
		found = true
		return true, c.err
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

// segments sees that each key has all records it speaks of.
func (l *loader) segments() error {
	next := make(map[int64]uint64, len(l.byID))
	err := l.conn.query("SELECT "+segmentColumns+" FROM segments ORDER BY id", func(row []value) (bool, error) {
		id, g, err := scanSegment(row)
		if err != nil {
			return false, err
		}
		e := l.byID[id]
		if e == nil {
			return false, damaged("records %d.. of key %d, which is not there", g.First, id)
		}
		if _, ok := next[id]; !ok {
			next[id] = e.head.first
		}
		if next[id] != g.First {
			return false, damaged("%v: record %d where %d was next", e.key, g.First, next[id])
		}
		next[id] += uint64(g.Len())
		return true, nil
	})
	if err != nil {
		return err
	}
	for id, e := range l.byID {
		if at, ok := next[id]; ok && at != e.head.records+1 || !ok && e.head.first <= e.head.records {
			return damaged("%v: records are missing at the end", e.key)
		}
	}
	return nil
}

func (l *loader) snapshots() error {
	left := 0
	for _, e := range l.byID {
		if e.head.snapshotSum != 0 {
			left++
		}
	}
	err := l.conn.query("SELECT key, data FROM snapshots", func(row []value) (bool, error) {
		c := columns{row: row}
		id, data := c.integer(), full(c.blob())
		if e := l.byID[id]; c.err == nil && (e == nil || e.head.snapshotSum != blobSum(id, data)) {
			return false, damaged("the snapshot of %s", l.name(id))
		}
		left--
		return true, c.err
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
	err := l.conn.query("SELECT "+rowColumns+" FROM jobs", func(row []value) (bool, error) {
		id, sum, _, err := scanRow(row)
		if e := l.byID[id]; err == nil && (e == nil || e.head.rowSum != sum) {
			err = damaged("the row of %s", l.name(id))
		}
		left--
		return true, err
	})
	return l.allThere(err, left, "rows of jobs")
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
