package runtime

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// list answers with a page of the principal's jobs, by time of creation (§6.6); a shorter one than asked for when it would not fit
// a frame.
func (c *connection) list(ctx context.Context, s *session, e *arcp.Envelope, p *arcp.SessionListJobs) error {
	page, refusal := c.rt.page(ctx, s.principal, p)
	if refusal != nil {
		c.refuse(e, refusal)
		return nil
	}
	page.RequestID = e.ID
	if err := c.send(page); !errors.Is(err, link.ErrFrameTooLarge) {
		return err
	}
	n := uint64(max(1, len(page.Jobs)/2))
	if len(page.Jobs) <= 1 {
		c.refuse(e, arcp.NewError(arcp.CodeInternalError, "a job's row does not fit a frame"))
		return nil
	}
	shorter := *p
	shorter.Limit = &n
	return c.list(ctx, s, e, &shorter)
}

func (rt *Runtime) page(ctx context.Context, principal string, p *arcp.SessionListJobs) (*arcp.SessionJobs, *arcp.Error) {
	after, err := rt.openCursor(ctx, principal, p.Cursor)
	if err != nil {
		return nil, arcp.NewError(arcp.CodeInvalidRequest, "/payload/cursor: %v", err)
	}
	limit := arcp.LimitListPageDefault
	if p.Limit != nil {
		limit = int(min(*p.Limit, arcp.LimitListPageMax))
	}
	page, err := rt.store.Jobs(ctx, principal, filterOf(p.Filter), after, limit)
	if err != nil {
		rt.opts.Logger.Error("jobs cannot be listed", "error", err)
		return nil, arcp.NewError(arcp.CodeInternalError, "the jobs could not be listed")
	}
	out := &arcp.SessionJobs{Jobs: make([]arcp.JobSummary, 0, len(page.Rows))}
	for i := range page.Rows {
		row, err := rt.summaryOf(ctx, &page.Rows[i])
		if err != nil {
			return nil, arcp.NewError(arcp.CodeInternalError, "the jobs could not be listed")
		}
		out.Jobs = append(out.Jobs, row)
	}
	if page.More {
		last := page.Rows[len(page.Rows)-1]
		if out.NextCursor, err = rt.sealCursor(ctx, principal, store.Cursor{Created: last.Created, JobID: last.JobID}); err != nil {
			return nil, arcp.NewError(arcp.CodeInternalError, "the jobs could not be listed")
		}
	}
	return out, nil
}

func filterOf(f *arcp.JobFilter) store.Filter {
	if f == nil {
		return store.Filter{}
	}
	out := store.Filter{Agent: f.Agent, CreatedAfter: f.CreatedAfter, CreatedBefore: f.CreatedBefore}
	for _, s := range f.Status {
		out.Status = append(out.Status, string(s))
	}
	return out
}

func (rt *Runtime) summaryOf(ctx context.Context, row *store.JobRow) (arcp.JobSummary, error) {
	p, err := arcp.DecodePayload(arcp.TypeJobAccepted, row.Summary)
	if err != nil {
		return arcp.JobSummary{}, err
	}
	a := p.(*arcp.JobAccepted)
	s := arcp.JobSummary{
		JobID: row.JobID, Agent: row.Agent, Status: arcp.JobStatus(row.Status), Lease: a.Lease, LeaseConstraints: a.LeaseConstraints,
		Budget: a.Budget, ParentJobID: a.ParentJobID, CreatedAt: row.Created, TraceID: a.TraceID,
	}
	rt.mu.Lock()
	j := rt.jobs[row.JobID]
	rt.mu.Unlock()
	switch {
	case j != nil && !j.remote.Load():
		s.LastEventSeq, s.Budget = j.log.Committed(), j.budgetLeft()
	case rt.opts.Shared:
		s.LastEventSeq, _, _ = journal.Last(ctx, rt.store, row.JobID) // a job that is just being forgotten has none
	}
	return s, nil
}

var errCursor = errors.New("is not a cursor that this runtime gave to you")

// A cursor is a place in the order of jobs, sealed for its principal: 8 bytes of time, the job's id, 16 bytes of MAC.
const cursorMAC = 16

func (rt *Runtime) sealCursor(ctx context.Context, principal string, c store.Cursor) (string, error) {
	place := binary.BigEndian.AppendUint64(nil, uint64(c.Created.UnixNano()))
	place = append(place, c.JobID...)
	mac, err := rt.cursorMAC(ctx, principal, place)
	return base64.RawURLEncoding.EncodeToString(append(place, mac...)), err
}

func (rt *Runtime) openCursor(ctx context.Context, principal, text string) (store.Cursor, error) {
	if text == "" {
		return store.Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 8+cursorMAC {
		return store.Cursor{}, errCursor
	}
	place, mac := b[:len(b)-cursorMAC], b[len(b)-cursorMAC:]
	want, err := rt.cursorMAC(ctx, principal, place)
	if err != nil || !hmac.Equal(mac, want) {
		return store.Cursor{}, errCursor
	}
	return store.Cursor{Created: time.Unix(0, int64(binary.BigEndian.Uint64(place))).UTC(), JobID: string(place[8:])}, nil
}

func (rt *Runtime) cursorMAC(ctx context.Context, principal string, place []byte) ([]byte, error) {
	key, err := rt.store.Secret(ctx, "list_jobs cursor")
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write(binary.AppendUvarint(nil, uint64(len(principal))))
	h.Write([]byte(principal))
	h.Write(place)
	return h.Sum(nil)[:cursorMAC], nil
}
