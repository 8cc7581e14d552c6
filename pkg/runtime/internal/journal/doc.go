// Package journal holds the events of jobs and the numbered readings that sessions have of them.
//
// A Log is one job's sequence of records. A View is one session's numbered reading of logs. The Sequencer, one per store,
// is the only place where the two meet: it takes what the logs have staged, gives each attached view its numbers, commits
// records and numbers in one batch, and only then publishes both. So a number is never seen that is not in the log, and
// the order of a view is decided once.
//
// Locks, outermost first: Sequencer.run (the baton) > Log.mu > Sequencer.mu, and baton > View.mu. No lock is held while
// waiting for anything but a lock, except that the baton is held over Store.Commit.
package journal

import "errors"

// ErrOver is what a closed log answers to a writer: the job has ended, nothing was recorded.
var ErrOver = errors.New("journal: the job is over")

// ErrFull is what a log answers to an event when its job has emitted as much as it may.
var ErrFull = errors.New("journal: the job has emitted as much as it may")

// ErrDamaged says that what the store has of a job or a session cannot have been written there.
var ErrDamaged = errors.New("journal: damaged")

// ErrTooLarge is what a log answers to a record whose frame would pass the outbound frame limit.
var ErrTooLarge = errors.New("journal: the frame would be too large")

// ErrLost says that another node owns the job or the session now: this one writes nothing more of it.
var ErrLost = errors.New("journal: taken over by another node")

// ErrOverrun says that a view's unwritten frames passed its cap, or that a log dropped records the view had yet to
// write: the link must be cut, there is nothing more to read.
var ErrOverrun = errors.New("journal: the reader fell too far behind")
