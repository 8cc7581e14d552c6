// Package sqlite holds the engine that keeps a store in one file, for one process at a time.
//
// A directory holds the file, SQLite's write-ahead log beside it, and a lock. Commits that wait at the same time share a transaction.
// Who owns a key survives, nodes, watchers and posted commands do not: after Open every owned key is an orphan.
//
// Space of what was deleted or trimmed is used again; the file keeps the size of the most it ever held.
package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Errors of Open, Check and Export; test with errors.Is.
var (
	// ErrCorrupt says that the file is damaged. The text around it says what of it.
	ErrCorrupt = errors.New("sqlite: the store is damaged")
	// ErrNewer says that a newer version of this program wrote the file.
	ErrNewer = errors.New("sqlite: the store is of a newer version")
	// ErrLocked says that another process has the store open. The text around it says which.
	ErrLocked = errors.New("sqlite: the store is in use")
	// ErrNoStore says that Check or Export found none.
	ErrNoStore = errors.New("sqlite: there is no store")
)

// Options of a store. The zero value survives a killed process.
type Options struct {
	// Sync is what an acknowledged commit survives: store.ProcessKill, or store.PowerLoss, which waits for the disk once a
	// transaction. Zero is ProcessKill; then a power loss may cost the last commits, but never breaks the file.
	Sync store.Durability

	// Of tests: another file layer, the size of pages, and after how many of them the write-ahead log is emptied.
	vfs                  string
	pageSize, checkpoint int
}

// Store is the engine. All its methods may be called from any goroutine; see store.Store.
type Store struct {
	dir    *dir
	level  store.Durability
	writer *writer
	pool   *pool

	mu      sync.Mutex
	closed  bool
	failed  error // what ended writing
	keys    [store.KindMint + 1]map[string]*entry
	nodes   map[store.NodeID]*node // the living
	secrets map[string][]byte
	expiry  expiries // the writer's

	committed int // transactions since the file was opened

	closing sync.Once
	ended   error // of Close
}

var _ store.Store = (*Store)(nil)

// Open opens the store in a directory and makes both if they are not there. The directory may not be writable by others. ctx bounds
// nothing that is long once the lock is held.
//
// It fails with ErrLocked while another process has it, with ErrNewer for a file of a newer program and with ErrCorrupt for a damaged one.
func Open(ctx context.Context, path string, o *Options) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o == nil {
		o = &Options{}
	}
	if o.Sync > store.PowerLoss {
		return nil, errors.New("sqlite: Options.Sync is no level of durability")
	}
	d, err := openDir(path)
	if err != nil {
		return nil, err
	}
	s := newStore(d)
	s.level = max(o.Sync, store.ProcessKill)
	if err := s.start(o); err != nil {
		return nil, errors.Join(unreadable(err), d.close())
	}
	return s, nil
}

func newStore(d *dir) *Store {
	s := &Store{dir: d, nodes: make(map[store.NodeID]*node), secrets: make(map[string][]byte)}
	for i := range s.keys {
		s.keys[i] = make(map[string]*entry)
	}
	return s
}

// start opens the connections, looks at what is there and begins to write.
func (s *Store) start(o *Options) error {
	synchronous := "synchronous = NORMAL"
	if s.level == store.PowerLoss {
		synchronous = "synchronous = FULL"
	}
	c, err := open(s.dir.file(), "rw", o.vfs,
		fmt.Sprintf("page_size = %d", cmp.Or(o.pageSize, 4096)), "journal_mode = WAL", synchronous,
		fmt.Sprintf("wal_autocheckpoint = %d", cmp.Or(o.checkpoint, 2000)), "journal_size_limit = 16777216",
		"cell_size_check = ON", "trusted_schema = OFF", "cache_size = -8192")
	if err != nil {
		return err
	}
	s.writer = &writer{store: s, conn: c, wake: make(chan struct{}, 1), done: make(chan struct{})}
	s.pool = newPool(s.dir.file(), o.vfs)
	if err := s.load(); err != nil {
		return errors.Join(err, c.close())
	}
	go s.writer.run()
	return nil
}

func (s *Store) load() error {
	if err := migrate(s.writer.conn, migrations()); err != nil {
		return err
	}
	if err := s.dir.sync(); err != nil {
		return err
	}
	if err := s.writer.prepare(); err != nil {
		return err
	}
	l := &loader{store: s, conn: s.writer.conn}
	return l.load()
}

// Level returns what Options.Sync asked for.
func (s *Store) Level() store.Durability { return s.level }

// Close ends the store; see store.Store. What was asked for before is done first.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.mu.Lock()
		s.closed = true
		for _, n := range s.nodes {
			close(n.lost)
		}
		clear(s.nodes)
		for _, byID := range s.keys {
			for _, e := range byID {
				e.wake()
			}
		}
		s.mu.Unlock()
		s.writer.end()
		s.ended = errors.Join(s.pool.close(), s.writer.conn.close(), s.dir.close())
	})
	return s.ended
}

// Commit does the operations of a batch; see store.Store. An error that is none of the store package's means that SQLite failed: nothing of
// the batch is done, and nothing will be until the store is opened again.
func (s *Store) Commit(ctx context.Context, b *store.Batch) error {
	return s.do(ctx, func(t *tx) error {
		for i := range b.Ops {
			if err := t.op(&b.Ops[i]); err != nil {
				return &store.BatchError{Done: i, Key: b.Ops[i].Key, Err: err}
			}
		}
		return nil
	})
}

// Trim forgets old records; see store.Store.
func (s *Store) Trim(ctx context.Context, key store.Key, epoch store.Epoch, before uint64) error {
	return s.do(ctx, func(t *tx) error {
		d, err := t.owned(key, epoch)
		if err != nil {
			return err
		}
		return t.trim(d, before)
	})
}

// entry returns what is kept of a key, expired or not. The lock is held, or the caller is the writer.
func (s *Store) entry(key store.Key) *entry {
	if int(key.Kind) >= len(s.keys) {
		return nil
	}
	return s.keys[key.Kind][key.ID]
}

// find returns a key that is there and not expired. The lock is held.
func (s *Store) find(key store.Key) (*entry, error) {
	if s.closed {
		return nil, store.ErrClosed
	}
	e := s.entry(key)
	if e == nil || e.head.expired() {
		return nil, store.ErrNotFound
	}
	return e, nil
}
