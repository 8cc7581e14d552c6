package journal

import "sync/atomic"

// Counts is what a sequencer has committed since it was made.
type Counts struct {
	Events, Bytes uint64 // numbered records, and their bytes
	Batches       uint64
}

// Counts returns the counts.
func (s *Sequencer) Counts() Counts {
	return Counts{Events: s.counts.events.Load(), Bytes: s.counts.bytes.Load(), Batches: s.counts.batches.Load()}
}

type counts struct{ events, bytes, batches atomic.Uint64 }

// add counts what a log has in a batch that is committed. The caller holds its lock.
func (c *counts) add(p *seal) {
	c.events.Add(p.events - p.log.committed)
	c.bytes.Add(uint64(p.bytes))
}

// account is where a log adds what is kept of it, here or in the store. Several logs may share the sum.
type account struct {
	sum  *atomic.Int64 // nil: nobody counts
	said int           // this log's part of it
}

// Charge makes the log add what is kept of it to a sum from now on, and take it out of the one before; nil is none.
func (l *Log) Charge(sum *atomic.Int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.account.sum != nil {
		l.account.sum.Add(-int64(l.account.said))
	}
	l.account = account{sum: sum}
	l.settle()
}

// settle brings the account up to date. The caller holds l.mu.
func (l *Log) settle() {
	if a := &l.account; a.sum != nil {
		kept := l.keptBytes()
		a.sum.Add(int64(kept - a.said))
		a.said = kept
	}
}

// keptBytes is what is kept of numbered records, be it here or in the store only. The caller holds l.mu.
func (l *Log) keptBytes() int {
	if l.shelf != nil {
		return l.shelf.bytes
	}
	return l.retained
}
