package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// maxGroup bounds how many callers share a transaction, so that none waits for much more than its own.
const maxGroup = 256

// writer owns the one connection that writes, and the goroutine that uses it. What arrives while a transaction is under way is done
// together in the next.
type writer struct {
	store *Store
	conn  *conn
	next  int64  // the id of the next key
	total uint64 // over all heads and secrets, as meta has it

	begin, commit, rollback                             *stmt
	keyInsert, keyUpdate, keyDelete, metaPut, secretPut *stmt
	segmentInsert, segmentsDelete, segmentHolding       *stmt
	snapshotPut, snapshotDelete, snapshotGet            *stmt
	rowPut, rowDelete                                   *stmt

	mu     sync.Mutex
	queue  []*request
	ending bool
	wake   chan struct{} // holds one
	done   chan struct{} // closed when the goroutine is gone
}

// request is a caller that waits.
type request struct {
	do     func(*tx) error
	err    error
	answer chan struct{}
}

func (w *writer) prepare() error {
	return w.conn.prepareAll(map[**stmt]string{
		&w.begin:     "BEGIN IMMEDIATE",
		&w.commit:    "COMMIT",
		&w.rollback:  "ROLLBACK",
		&w.keyInsert: "INSERT INTO keys(" + headColumns + ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		&w.keyUpdate: "UPDATE keys SET epoch = ?2, owner = ?3, released = ?4, records = ?5, first = ?6, snapshot_at = ?7, snapshot_sum = ?8," +
			" row_sum = ?9, sum = ?10 WHERE id = ?1",
		&w.keyDelete:      "DELETE FROM keys WHERE id = ?",
		&w.metaPut:        "INSERT OR REPLACE INTO meta(id, next, total, sum) VALUES(1, ?, ?, ?)",
		&w.secretPut:      "INSERT INTO secrets(name, value) VALUES(?, ?)",
		&w.segmentInsert:  "INSERT INTO segments(" + segmentColumns + ") VALUES(?, ?, ?, ?, ?, ?)",
		&w.segmentsDelete: "DELETE FROM segments WHERE key = ? AND first < ?",
		&w.segmentHolding: "SELECT first FROM segments WHERE key = ? AND first <= ? ORDER BY first DESC LIMIT 1",
		&w.snapshotPut:    "INSERT OR REPLACE INTO snapshots(key, data) VALUES(?, ?)",
		&w.snapshotDelete: "DELETE FROM snapshots WHERE key = ?",
		&w.snapshotGet:    "SELECT data FROM snapshots WHERE key = ?",
		&w.rowPut:         "INSERT OR REPLACE INTO jobs(" + rowColumns + ") VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
		&w.rowDelete:      "DELETE FROM jobs WHERE key = ?",
	})
}

// do has the writer run something in a transaction and waits until that is committed, or for ctx while it has not begun.
func (s *Store) do(ctx context.Context, f func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := s.writer
	r := &request{do: f, answer: make(chan struct{})}
	if !w.enqueue(r) {
		return store.ErrClosed
	}
	select {
	case <-r.answer:
	case <-ctx.Done():
		if w.withdraw(r) {
			return ctx.Err()
		}
		<-r.answer // what it reads belongs to the caller, who gets it back when we return
	}
	return r.err
}

func (w *writer) enqueue(r *request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ending {
		return false
	}
	w.queue = append(w.queue, r)
	w.poke()
	return true
}

func (w *writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// withdraw takes back a request that has not begun and says whether it could.
func (w *writer) withdraw(r *request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, r)
	if i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
	return i >= 0
}

// end lets the goroutine finish what is queued and waits for it. Nothing is queued after it.
func (w *writer) end() {
	w.mu.Lock()
	w.ending = true
	w.poke()
	w.mu.Unlock()
	<-w.done
}

// run is the goroutine.
func (w *writer) run() {
	defer close(w.done)
	for {
		group, ending := w.take()
		if len(group) > 0 {
			w.transact(group)
			continue
		}
		if ending {
			return
		}
		<-w.wake
	}
}

func (w *writer) take() (group []*request, ending bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.queue), maxGroup)
	group = slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	return group, w.ending
}

// transact does what a group asks for and answers it. When SQLite fails, nothing of it was done, and nothing is done after it: what is on
// the disk is known again only when the file has been opened anew.
func (w *writer) transact(group []*request) {
	err := w.store.failure()
	if err == nil {
		err = w.attempt(group)
	}
	for _, r := range group {
		if err != nil {
			r.err = err
		}
		close(r.answer)
	}
}

func (w *writer) attempt(group []*request) error {
	t := &tx{w: w, byKey: make(map[store.Key]*draft, 2*len(group)), next: w.next, total: w.total}
	for _, r := range group {
		if r.err = r.do(t); t.err != nil {
			break
		}
	}
	if t.err == nil {
		t.err = t.flush()
	}
	if t.err != nil {
		if t.begun {
			_ = w.rollback.run() // SQLite may have done it already
		}
		return w.store.fail(t.err)
	}
	w.next, w.total = t.next, t.total
	w.store.publish(t)
	return nil
}

// fail remembers what ended writing.
func (s *Store) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !errors.Is(err, ErrCorrupt) {
		err = fmt.Errorf("sqlite: writing to %s: %w", s.dir.path, err)
	}
	s.failed = err
	return err
}

func (s *Store) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// publish shows to everybody what a transaction committed.
func (s *Store) publish(t *tx) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.begun {
		s.committed++
	}
	for name, value := range t.secrets {
		s.secrets[name] = value
	}
	for _, d := range t.drafts {
		s.publishKey(d)
	}
}

func (s *Store) publishKey(d *draft) {
	e := d.entry
	before := e.head
	e.head, e.node = d.head, d.node
	switch {
	case d.gone:
		e.gone = true
		if s.keys[e.key.Kind][e.key.ID] == e {
			delete(s.keys[e.key.Kind], e.key.ID)
		}
		e.wake()
	case d.fresh:
		s.keys[e.key.Kind][e.key.ID] = e
		if !e.head.expires.IsZero() {
			s.expiry.add(e)
		}
	}
	if e.head.epoch != before.epoch || e.head.released {
		e.box.wakeAll()
	}
	if e.head.records > before.records {
		for _, w := range e.watchers {
			w.tell(e.head.records)
		}
	}
}
