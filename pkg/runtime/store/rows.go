package store

import (
	"bytes"
	"context"
	"slices"
	"sort"
	"strings"
)

// row is a listing row in its index.
type row struct {
	JobRow
	gone bool // stays in the index until the next compaction
}

// rowIndex is the rows of one principal in the order of Cursor.
type rowIndex struct {
	sorted []*row
	gone   int
}

// scanStep is how many rows a listing looks at before it lets go of the lock.
const scanStep = 256

func (r *row) cursor() Cursor { return Cursor{Created: r.Created, JobID: r.JobID} }

func (c Cursor) compare(d Cursor) int {
	if n := c.Created.Compare(d.Created); n != 0 {
		return n
	}
	return strings.Compare(c.JobID, d.JobID)
}

// after returns the index of the first row behind the cursor.
func (x *rowIndex) after(c Cursor) int {
	return sort.Search(len(x.sorted), func(i int) bool { return x.sorted[i].cursor().compare(c) > 0 })
}

func (x *rowIndex) insert(r *row) {
	x.sorted = slices.Insert(x.sorted, x.after(r.cursor()), r)
}

// drop marks a row and compacts once half of the index is marked, so that forgetting a job costs a constant on average.
func (x *rowIndex) drop(r *row) {
	r.gone = true
	x.gone++
	if x.gone*2 > len(x.sorted) {
		x.sorted = slices.DeleteFunc(x.sorted, func(r *row) bool { return r.gone })
		x.gone = 0
	}
}

// setRow replaces the row of a job. The lock is held.
func (m *Memory) setRow(s *sequence, to *JobRow) {
	fresh := *to
	fresh.Summary = bytes.Clone(to.Summary)
	if old := s.row; old != nil && old.Principal == to.Principal && old.cursor().compare(Cursor{to.Created, to.JobID}) == 0 {
		old.JobRow = fresh
		return
	}
	m.dropRow(s)
	x := m.rows[to.Principal]
	if x == nil {
		x = &rowIndex{}
		m.rows[to.Principal] = x
	}
	s.row = &row{JobRow: fresh}
	x.insert(s.row)
}

// dropRow forgets the row of a job, if it has one. The lock is held.
func (m *Memory) dropRow(s *sequence) {
	if s.row == nil {
		return
	}
	x := m.rows[s.row.Principal]
	x.drop(s.row)
	if len(x.sorted) == 0 {
		delete(m.rows, s.row.Principal)
	}
	s.row = nil
}

// Jobs lists jobs; see Store. Rows that come and go during a long listing may or may not be seen; all others are.
func (m *Memory) Jobs(ctx context.Context, principal string, f Filter, after Cursor, limit int) (Page, error) {
	limit = max(limit, 1)
	var p Page
	for {
		if err := ctx.Err(); err != nil {
			return Page{}, err
		}
		next, done, err := m.scan(&p, principal, &f, after, limit)
		if err != nil {
			return Page{}, err
		}
		if done {
			return p, nil
		}
		after = next
	}
}

// scan adds what matches among the next scanStep rows to the page and returns where it stopped.
func (m *Memory) scan(p *Page, principal string, f *Filter, after Cursor, limit int) (Cursor, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return after, false, ErrClosed
	}
	x := m.rows[principal]
	if x == nil {
		return after, true, nil
	}
	start := x.after(after)
	end := min(start+scanStep, len(x.sorted))
	for _, r := range x.sorted[start:end] {
		if r.gone || !f.Matches(&r.JobRow) {
			continue
		}
		if len(p.Rows) == limit {
			p.More = true
			return after, true, nil
		}
		copied := r.JobRow
		copied.Summary = bytes.Clone(r.Summary)
		p.Rows = append(p.Rows, copied)
	}
	if end == len(x.sorted) {
		return after, true, nil
	}
	return x.sorted[end-1].cursor(), false, nil
}

// Matches says whether a row passes the filter.
func (f *Filter) Matches(r *JobRow) bool {
	if len(f.Status) > 0 && !slices.Contains(f.Status, r.Status) {
		return false
	}
	if f.Agent != "" && f.Agent != r.Agent {
		if name, _, _ := strings.Cut(r.Agent, "@"); name != f.Agent {
			return false
		}
	}
	if !f.CreatedAfter.IsZero() && !r.Created.After(f.CreatedAfter) {
		return false
	}
	return f.CreatedBefore.IsZero() || r.Created.Before(f.CreatedBefore)
}
