// Package store says what a runtime needs from durable storage, and holds the memory engine.
//
// A store keeps, under each key, one append-only sequence of opaque records, an optional snapshot, and who owns the key.
// It is built from what a distributed log can do: a commit is atomic within one key only. A batch that names several
// keys commits them in the order written, and a crash may leave any prefix of its operations done; writers order their
// operations so that each prefix is safe. Bytes and integers are all it sees.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Errors a store answers with; test with errors.Is.
var (
	// ErrFenced says that the epoch of an operation is not the key's current one: somebody else owns the key now.
	ErrFenced = errors.New("store: fenced by a newer owner")
	// ErrConflict says that the key does not hold the number of records the operation expected, or that Acquire named an old epoch.
	ErrConflict = errors.New("store: head moved")
	// ErrExists says that a key to be created is there already.
	ErrExists = errors.New("store: key exists")
	// ErrNotFound says that there is no such key.
	ErrNotFound = errors.New("store: no such key")
	// ErrFull says that a key holds more unread commands than the store keeps.
	ErrFull = errors.New("store: inbox full")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("store: closed")
)

// BatchError says which operation of a batch was refused: those before it are committed, it and those after it are not.
type BatchError struct {
	Done int // operations committed
	Key  Key // of the refused one
	Err  error
}

func (e *BatchError) Error() string {
	return fmt.Sprintf("%v (operation %d, %v)", e.Err, e.Done, e.Key)
}

// Unwrap returns the reason.
func (e *BatchError) Unwrap() error { return e.Err }

// TrimmedError says that a read began before the first record retained.
type TrimmedError struct{ First uint64 }

func (e *TrimmedError) Error() string {
	return fmt.Sprintf("store: records before %d were trimmed", e.First)
}

// Kind says what a key names.
type Kind uint8

// The kinds of keys.
const (
	KindJob     Kind = 1 // a job's log
	KindSession Kind = 2 // a session's head and view
	KindIdem    Kind = 3 // an idempotency reservation; ID from IdemKey
	KindMint    Kind = 4 // what was minted upstream for a job and is not revoked; ID of its request

	kinds = KindMint // the last
)

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case KindJob:
		return "job"
	case KindSession:
		return "session"
	case KindIdem:
		return "idem"
	case KindMint:
		return "mint"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Key names one sequence. Keys are values; IDs are minted by the runtime, never by a peer.
type Key struct {
	Kind Kind
	ID   string
}

// String returns the kind and the ID.
func (k Key) String() string { return k.Kind.String() + " " + k.ID }

// Epoch counts the owners of a key. Each Acquire raises it; an operation with an older one, or with one that was released, is fenced.
// Zero is no epoch.
type Epoch uint64

// NodeID names a process that joined the store. Only one living node has it at a time.
type NodeID string

// Head is what a store knows of a key at one moment.
type Head struct {
	Epoch      Epoch
	Owner      NodeID // empty when released
	Records    uint64 // records ever committed; positions are 1..Records
	First      uint64 // position of the oldest record retained; Records+1 when none is
	Snapshot   []byte // the newest snapshot; nil when none was committed
	SnapshotAt uint64 // records committed when it was
}

// Segment is a run of records. Record i (0-based) stands at position First+i and is
// Data[Ends[i-1]:Ends[i]], where the first begins at Off.
//
// Data and Ends are immutable up to their length once committed and may share memory with the writer's own slab, which
// goes on growing behind them: an engine may keep them without a copy.
type Segment struct {
	First uint64
	Off   uint32
	Ends  []uint32
	Data  []byte
}

// Len returns the number of records.
func (s *Segment) Len() int { return len(s.Ends) }

// Record returns record i, 0-based.
func (s *Segment) Record(i int) []byte {
	start := s.Off
	if i > 0 {
		start = s.Ends[i-1]
	}
	return s.Data[start:s.Ends[i]:s.Ends[i]]
}

// Op is what one commit does to one key, atomically.
type Op struct {
	Key      Key
	Epoch    Epoch
	Create   bool      // the key must not exist; it is owned by Node at epoch 1 afterwards, and Epoch is ignored
	Node     NodeID    // with Create
	Head     uint64    // records the writer believes committed; ErrConflict otherwise
	Append   Segment   // Append.First must be Head+1 when it holds records
	Snapshot []byte    // replaces the snapshot when not nil
	Row      *JobRow   // replaces the job's listing row when not nil; KindJob only
	Expires  time.Time // with Create of a KindIdem key: when it may be forgotten; zero is never
	Delete   bool      // removes the key and all under it
}

// Batch is operations in crash-safe order. Its memory, and that of rows, belongs to the caller again when Commit returns, but not
// what segments and snapshots point to.
type Batch struct{ Ops []Op }

// JobRow is a job's line in listings, a projection of its log.
type JobRow struct {
	JobID     string
	Principal string
	Agent     string // name@version
	Status    string
	Created   time.Time
	Summary   []byte // what the runtime shows of it; opaque
}

// Filter narrows a listing; zero fields do not filter. Agent matches the whole of name@version or the bare name.
type Filter struct {
	Status        []string // any of them
	Agent         string
	CreatedAfter  time.Time // exclusive
	CreatedBefore time.Time // exclusive
}

// Cursor is a place in the order (Created, JobID); zero is the start. A page holds rows strictly after it.
type Cursor struct {
	Created time.Time
	JobID   string
}

// Page is one page of a listing. More says that rows follow the last.
type Page struct {
	Rows []JobRow
	More bool
}

// Durability says what an acknowledged commit survives.
type Durability uint8

// The levels, each surviving what those before it do.
const (
	Volatile    Durability = iota // nothing: lost with the process
	ProcessKill                   // a killed process
	PowerLoss                     // a power loss
)

// Node is a joined process.
type Node interface {
	ID() NodeID
	Lost() <-chan struct{} // closed when the store no longer counts the node as alive, after Leave too
	// Leave ends the node. Keys it still owns become orphans.
	Leave(ctx context.Context) error
}

// Watcher tells that a key gained records, or that it or the store is gone. Signals are coalesced: one pending at most.
type Watcher interface {
	Moved() <-chan struct{}
	Close()
}

// Command is a message to the owner of a key, on whatever node it is.
type Command struct {
	Kind string
	Data []byte
}

// Inbox yields the commands posted to an owned key, in order. A command goes to one Next only; those nobody took wait for the next owner.
type Inbox interface {
	Next(ctx context.Context) (Command, error) // ErrFenced once the epoch is old or the key gone, ErrClosed after Close
	Close()
}

// Store keeps keys. All methods may be called from any goroutine; ctx bounds the wait, and a call that returns its error may or may not
// have taken effect.
type Store interface {
	// Join counts the caller as a living node until Leave or until its lease is lost; ErrExists when that ID is alive.
	Join(ctx context.Context, id NodeID) (Node, error)
	// Acquire makes a living node the owner of an existing key if its epoch is still old, whoever owned it, and returns the new epoch
	// and the head. ErrFenced when the node is not alive, whatever the epoch; ErrConflict when the epoch is another.
	Acquire(ctx context.Context, node NodeID, key Key, old Epoch) (Epoch, Head, error)
	// Release gives a key up: it has no owner, is no orphan, and its epoch commits nothing more.
	Release(ctx context.Context, key Key, epoch Epoch) error
	// Commit does the operations of a batch in order and stops at the first that fails, with a *BatchError.
	Commit(ctx context.Context, b *Batch) error
	// Read returns whole segments from the one holding position from, about maxBytes of them and one at least; none past the end.
	Read(ctx context.Context, key Key, from uint64, maxBytes int) ([]Segment, error)
	// Lookup returns a key's head without owning it.
	Lookup(ctx context.Context, key Key) (Head, error)
	// Watch tells of commits after position from; a head already past it is signalled at once.
	Watch(ctx context.Context, key Key, from uint64) (Watcher, error)
	// Post hands a command to the owner of a key, now or whenever it has one; ErrFull when too many wait.
	Post(ctx context.Context, key Key, c Command) error
	// Inbox reads the commands of a key owned at epoch.
	Inbox(ctx context.Context, key Key, epoch Epoch) (Inbox, error)
	// Jobs lists the jobs of exactly this principal, at most limit of them (one when limit is less), in the order of Cursor.
	Jobs(ctx context.Context, principal string, f Filter, after Cursor, limit int) (Page, error)
	// Orphans returns the keys of jobs, sessions and mints whose owner is gone: it left, was lost, or never joined.
	Orphans(ctx context.Context) ([]Key, error)
	// Trim forgets records before position before. Whole segments only; the rest may stay.
	Trim(ctx context.Context, key Key, epoch Epoch, before uint64) error
	// Secret returns 32 random bytes kept under a name, made at first use: the key of cursors and the like.
	Secret(ctx context.Context, name string) ([]byte, error)
	Level() Durability
	// Close ends the store: nodes are lost, watchers signalled, and every later call is ErrClosed.
	Close() error
}
