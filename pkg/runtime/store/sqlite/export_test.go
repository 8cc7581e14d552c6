package sqlite

import (
	"errors"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Small returns options that make small pages and move them from the write-ahead log soon, so that little data has all kinds of pages and
// moments.
func Small(o Options) *Options {
	o.pageSize, o.checkpoint = 512, 40
	return &o
}

// WithVFS returns options that use another file layer of SQLite.
func WithVFS(o *Options, vfs string) *Options {
	to := *o
	to.vfs = vfs
	return &to
}

// Transactions returns how many were committed since the store was opened.
func (s *Store) Transactions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.committed
}

// Reservations returns how many idempotency keys are kept, expired ones among them.
func (s *Store) Reservations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.keys[store.KindIdem])
}

// Migrate opens the file of a store, runs migrations that are not the package's, and returns what went wrong.
func Migrate(path string, steps ...string) error {
	c, err := open(path, "rw", "")
	if err != nil {
		return err
	}
	return errors.Join(migrate(c, append(migrations(), steps...)), c.close())
}

// Block takes the lock for writing as another program would, and returns what lets go of it.
func Block(path string) (release func() error, err error) {
	c, err := open(path, "rw", "")
	if err != nil {
		return nil, err
	}
	return func() error { return errors.Join(c.exec("COMMIT"), c.close()) }, c.exec("BEGIN IMMEDIATE")
}

// Taken says whether the writer has taken up all that was asked for.
func (s *Store) Taken() bool {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.queue) == 0
}
