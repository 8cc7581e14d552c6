package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
)

// run is the reader: it lives as long as the session, link after link. ctx ends with Close.
func (s *Session) run(ctx context.Context, l *link.Link) {
	defer s.halt()
	var r retry
	for timeout := time.Duration(0); ; timeout = s.o.HandshakeTimeout { // Connect's context bounds the first handshake
		cause := s.serve(ctx, l, timeout, &r)
		err := s.verdict(cause)
		if err == nil {
			l, err = s.redial(ctx, &r, cause)
		}
		if err != nil {
			s.end(err)
			return
		}
	}
}

// serve is one link from its hello to its end, and returns why it ended.
func (s *Session) serve(ctx context.Context, l *link.Link, timeout time.Duration, r *retry) error {
	defer context.AfterFunc(ctx, func() { l.Close(closedHere) })()
	if timeout > 0 {
		limit := time.AfterFunc(timeout, func() {
			if !s.uses(l) {
				cut(l)
			}
		})
		defer limit.Stop()
	}
	s.in.open, s.in.report = false, nil
	begin, seq := time.Now(), s.in.seq
	if s.hello.Resume != nil {
		s.hello.Resume.ResumeToken, s.hello.Resume.LastEventSeq = s.in.token, seq
	}
	failed := l.Send(&arcp.Envelope{ID: s.nextID(), Payload: s.hello})
	if failed != nil {
		l.Close("no hello")
	}
	cause := l.Run(func(e *arcp.Envelope) error { return s.handle(l, e) })
	if failed != nil {
		cause = failed
	}
	cause = notEOF(cause)
	s.disconnected(l, cause)
	if s.in.open && (s.in.seq > seq || time.Since(begin) >= s.o.Reconnect.Max) {
		*r = retry{}
	}
	return cause
}

// verdict says why the session is over, from why its link is; nil when another link may go on with it.
func (s *Session) verdict(cause error) error {
	report := s.in.report
	switch {
	case s.isClosing() && report != nil:
		return fmt.Errorf("%w: %w: %w", ErrLinkLost, ErrClosed, report)
	case s.isClosing():
		return fmt.Errorf("%w: %w", ErrLinkLost, ErrClosed)
	case errors.Is(cause, ErrSessionExpired):
		return cause
	case takenOver(report):
		return fmt.Errorf("%w: %w", ErrTakenOver, report)
	case !s.in.open && arcp.IsRemote(cause):
		return s.refusal(cause)
	case !s.in.begun || s.o.Reconnect.Off || report != nil && isFinal(report):
		return fmt.Errorf("%w: %w", ErrLinkLost, lastWord(report, cause))
	}
	return nil
}

// refusal judges a hello that was refused.
func (s *Session) refusal(cause error) error {
	code := arcp.CodeOf(cause)
	switch {
	case s.hello.Resume == nil:
		return cause
	case code == arcp.CodeResumeWindowExpired && !s.in.previous.IsZero():
		s.in.token, s.in.previous = s.in.previous, arcp.Secret{} // should the runtime not know of its own last welcome
		return nil
	case code == arcp.CodeResumeWindowExpired, code == arcp.CodeInvalidRequest:
		return fmt.Errorf("%w: %w", ErrSessionExpired, cause)
	case isFinal(cause) || !s.in.begun:
		return fmt.Errorf("%w: %w", ErrLinkLost, cause)
	}
	return nil
}

// isFinal says whether there is no use in coming back after a report.
func isFinal(report error) bool {
	var e *arcp.Error
	return errors.As(report, &e) && !e.Retryable && e.Code != arcp.CodeHeartbeatLost
}

func lastWord(report, cause error) error {
	if report != nil {
		return report
	}
	return cause
}

// takenOver recognises the report of a link whose session went on over another.
func takenOver(report error) bool {
	var e *arcp.Error
	if !errors.As(report, &e) || e.Code != arcp.CodeHeartbeatLost {
		return false
	}
	var details struct {
		Reason string `json:"reason"`
	}
	return dynjson.Unmarshal(e.Details, &details) == nil && details.Reason == arcp.ReasonTakenOver
}

// retry counts the attempts since the session last worked.
type retry struct {
	since   time.Time
	attempt int
}

// next returns how long to wait before the next attempt, false when it is not to be made.
func (r *retry) next(p *Reconnect, giveUp time.Duration) (time.Duration, bool) {
	now := time.Now()
	if r.since.IsZero() {
		r.since = now
	}
	wait := p.Max
	if shift := min(r.attempt, 30); p.Initial<<shift>>shift == p.Initial {
		wait = min(wait, p.Initial<<shift)
	}
	r.attempt++
	wait -= time.Duration(float64(wait) * p.Jitter * rand.Float64())
	return wait, now.Add(wait).Sub(r.since) <= giveUp
}

// redial makes the next link, or gives up.
func (s *Session) redial(ctx context.Context, r *retry, cause error) (*link.Link, error) {
	giveUp := s.o.Reconnect.GiveUp
	if giveUp <= 0 {
		giveUp = max(seconds(s.Welcome().ResumeWindowSec), time.Second)
	}
	for {
		wait, ok := r.next(s.o.Reconnect, giveUp)
		if !ok {
			s.log.Warn("link given up", "attempts", r.attempt, "error", cause)
			return nil, fmt.Errorf("%w: not back after %v: %w", ErrLinkLost, giveUp, cause)
		}
		s.log.Info("link lost", "attempt", r.attempt, "wait", wait, "error", cause)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrLinkLost, ErrClosed)
		}
		once, cancel := context.WithTimeout(ctx, s.o.HandshakeTimeout)
		conn, err := s.dial(once)
		cancel()
		switch {
		case err == nil:
			return s.newLink(conn), nil
		case errors.Is(err, ErrInsecure):
			return nil, fmt.Errorf("%w: %w", ErrLinkLost, err)
		}
		cause = notEOF(err)
	}
}

// notEOF keeps io.EOF out of what a session is lost for: Next says with it that a job has ended. The words stay.
func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New(err.Error())
	}
	return err
}
