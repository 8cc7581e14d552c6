package sqlite

import (
	"context"
	"errors"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// maxReaders is how many may read at the same time; the others wait.
const maxReaders = 4

// pool is the connections that read. They cannot write and see what was committed when their statement began.
type pool struct {
	path, vfs string
	slots     chan *reader // nil in it is one that is not open yet
	done      chan struct{}
}

// reader is one connection of the pool.
type reader struct {
	conn                         *conn
	head, segments, listing, row *stmt
}

func newPool(path, vfs string) *pool {
	p := &pool{path: path, vfs: vfs, slots: make(chan *reader, maxReaders), done: make(chan struct{})}
	for range maxReaders {
		p.slots <- nil
	}
	return p
}

// with calls do with a reader that nobody else uses meanwhile.
func (p *pool) with(ctx context.Context, do func(*reader) error) error {
	var r *reader
	select {
	case r = <-p.slots:
	case <-ctx.Done():
		return ctx.Err()
	case <-p.done:
		return store.ErrClosed
	}
	if r == nil {
		var err error
		if r, err = p.open(); err != nil {
			p.slots <- nil
			return err
		}
	}
	defer func() { p.slots <- r }()
	return do(r)
}

func (p *pool) open() (*reader, error) {
	c, err := open(p.path, "ro", p.vfs, "query_only = ON", "cell_size_check = ON", "trusted_schema = OFF", "cache_size = -2048")
	if err != nil {
		return nil, err
	}
	r := &reader{conn: c}
	if err := r.prepare(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return r, nil
}

func (r *reader) prepare() error {
	return r.conn.prepareAll(map[**stmt]string{
		&r.head: "SELECT " + headColumns + ", data FROM keys LEFT JOIN snapshots ON key = id WHERE id = ?",
		&r.segments: "SELECT " + segmentColumns + " FROM segments WHERE key = ?1 AND first >=" +
			" coalesce((SELECT max(first) FROM segments WHERE key = ?1 AND first <= ?2), 0) ORDER BY first",
		&r.listing: "SELECT " + rowColumns + " FROM jobs WHERE principal = ?1 AND (created, job_id) > (?2, ?3) ORDER BY created, job_id LIMIT ?4",
		&r.row:     "SELECT " + rowColumns + " FROM jobs WHERE key = ?",
	})
}

// close waits for those who read and closes their connections.
func (p *pool) close() error {
	close(p.done)
	var errs []error
	for range maxReaders {
		if r := <-p.slots; r != nil {
			errs = append(errs, r.conn.close())
		}
	}
	return errors.Join(errs...)
}
