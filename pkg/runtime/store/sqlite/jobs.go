package sqlite

import (
	"context"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// listStep is how many rows a listing takes from the file at once.
const listStep = 256

// Jobs lists jobs; see store.Store. Rows that come and go during a long listing may or may not be seen; all others are.
func (s *Store) Jobs(ctx context.Context, principal string, f store.Filter, after store.Cursor, limit int) (store.Page, error) {
	if err := ctx.Err(); err != nil {
		return store.Page{}, err
	}
	if s.isClosed() {
		return store.Page{}, store.ErrClosed
	}
	limit = max(limit, 1)
	var p store.Page
	for {
		var rows []store.JobRow
		err := s.pool.with(ctx, func(r *reader) (err error) {
			rows, err = r.list(principal, after)
			return err
		})
		if err != nil {
			return store.Page{}, err
		}
		for i := range rows {
			if !f.Matches(&rows[i]) {
				continue
			}
			if len(p.Rows) == limit {
				p.More = true
				return p, nil
			}
			p.Rows = append(p.Rows, rows[i])
		}
		if len(rows) < listStep {
			return p, nil
		}
		last := &rows[len(rows)-1]
		after = store.Cursor{Created: last.Created, JobID: last.JobID}
	}
}

func (s *Store) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (r *reader) list(principal string, after store.Cursor) (rows []store.JobRow, err error) {
	err = r.listing.each(func(row []value) (bool, error) {
		_, _, j, err := scanRow(row)
		rows = append(rows, j)
		return true, err
	}, []byte(principal), stamp(after.Created), []byte(after.JobID), int64(listStep))
	return rows, err
}

// scanRow takes a row of jobs.
func scanRow(row []value) (key, sum int64, j store.JobRow, err error) {
	c := columns{row: row}
	key, sum = c.integer(), c.integer()
	j.Principal = string(c.blob())
	created := c.blob()
	j.JobID, j.Agent, j.Status, j.Summary = string(c.blob()), string(c.blob()), string(c.blob()), c.blob()
	if c.err != nil {
		return key, sum, j, c.err
	}
	j.Created, err = unstamp(created)
	if err == nil && rowSum(key, &j) != sum {
		err = damaged("the row of job %.40q", j.JobID)
	}
	return key, sum, j, err
}
