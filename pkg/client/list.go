package client

import (
	"context"
	"fmt"
	"iter"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Jobs yields the jobs one may see, by time of creation, those that have ended for as long as the runtime keeps them (§6.6). A nil filter
// is all. It asks for a page at a time, as far as it is read, under ctx; an error is the last it yields. The summaries are the caller's.
func (s *Session) Jobs(ctx context.Context, filter *arcp.JobFilter) iter.Seq2[*arcp.JobSummary, error] {
	return func(yield func(*arcp.JobSummary, error) bool) {
		for cursor := ""; ; {
			page, err := s.page(ctx, filter, cursor)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page.Jobs {
				if !yield(&page.Jobs[i], nil) {
					return
				}
			}
			if page.NextCursor == "" {
				return
			}
			cursor = page.NextCursor
		}
	}
}

func (s *Session) page(ctx context.Context, filter *arcp.JobFilter, cursor string) (*arcp.SessionJobs, error) {
	if err := s.require(arcp.FeatureListJobs); err != nil {
		return nil, err
	}
	r, err := s.newRequest(s.envelope("", &arcp.SessionListJobs{Filter: filter, Cursor: cursor}), "")
	if err == nil {
		err = s.ask(ctx, r)
	}
	if err != nil {
		return nil, err
	}
	page, ok := r.reply.(*arcp.SessionJobs)
	if !ok {
		return nil, fmt.Errorf("%w: %s answered with something else", ErrProtocol, r.kind)
	}
	return page, nil
}

// listed takes a session.jobs, on the reader.
func (s *Session) listed(p *arcp.SessionJobs) {
	var r *request
	if p.RequestID != "" {
		r = s.take(p.RequestID)
	} else {
		r = s.takeAbout(arcp.TypeSessionListJobs, "")
	}
	if r == nil {
		s.log.Debug("answer to an unknown list_jobs ignored", "request", p.RequestID)
		return
	}
	r.reply = p
	r.answer(nil, nil)
}
