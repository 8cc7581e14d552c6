package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
)

// tally is what was seen of a job. For people what was shed is no loss worth failing for; for a program it is.
type tally struct {
	events int
	bytes  int64 // of its result
	shed   error // events were dropped before they could be shown
}

func acceptedLine(a *arcp.JobAccepted) string {
	return eventLine("job", term.Line(a.JobID)+" "+term.Line(a.Agent))
}

// follow shows a job to its end and writes its result to out; see resultSink.
func follow(ctx context.Context, job *client.Job, v view, out io.Writer) (tally, error) {
	ctx, done := context.WithCancel(ctx)
	defer done()
	r, err := job.ResultReader(ctx)
	if err != nil {
		return tally{}, err
	}
	result := newResultSink(out, job)
	copied := make(chan error, 1)
	go func() {
		defer r.Close()
		_, err := io.Copy(result, r)
		copied <- err
	}()
	seen, err := show(ctx, job, v)
	v.close()
	if err != nil {
		done()
	}
	copyErr := <-copied
	seen.bytes = result.n
	if err != nil {
		return seen, err
	}
	if _, err := job.Result(ctx); err != nil {
		return seen, jobError(job.Status(), err)
	}
	if copyErr != nil {
		return seen, fmt.Errorf("the result: %w", copyErr)
	}
	return seen, result.finish()
}

// show shows the events.
func show(ctx context.Context, job *client.Job, v view) (tally, error) {
	var seen tally
	if err := v.accepted(job.Accepted()); err != nil {
		return seen, err
	}
	for ev, err := range job.Events(ctx) {
		if errors.Is(err, client.ErrEventsShed) {
			seen.shed = err
			continue
		}
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause // says more than that the context ended
			}
			return seen, err
		}
		seen.events++
		if err := v.event(ev); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

// resultSink writes a result: bytes as they are and as they come. What comes once the job is over is held until all its events are
// shown, if it is not too much; for a terminal all of it is, and cleaned.
type resultSink struct {
	out      io.Writer
	job      *client.Job
	terminal bool
	held     bytes.Buffer
	through  bool // nothing is held any more
	n        int64
	last     byte
}

// maxHeld bounds what is held back for good order, in bytes.
const maxHeld = 1 << 20

func newResultSink(out io.Writer, job *client.Job) *resultSink {
	return &resultSink{out: out, job: job, terminal: isTerminal(out)}
}

func (s *resultSink) Write(p []byte) (int, error) {
	if len(p) > 0 {
		s.n += int64(len(p))
		s.last = p[len(p)-1]
	}
	if s.terminal || !s.through && s.held.Len()+len(p) <= maxHeld && isOver(s.job) {
		return s.held.Write(p)
	}
	s.through = true
	if _, err := s.held.WriteTo(s.out); err != nil {
		return 0, err
	}
	return s.out.Write(p)
}

// finish writes what was held, and ends the last line.
func (s *resultSink) finish() error {
	out := s.out
	if s.terminal {
		out = term.Writer(s.out)
	}
	if _, err := s.held.WriteTo(out); err != nil {
		return err
	}
	if s.last == '\n' {
		return nil
	}
	_, err := io.WriteString(out, "\n")
	return err
}

// followJSON writes every message about a job as a line of JSON.
func followJSON(ctx context.Context, job *client.Job, out io.Writer) (tally, error) {
	lines := &jsonLines{out: out, job: job}
	seen, err := show(ctx, job, lines)
	if err != nil {
		return seen, err
	}
	res, err := job.Result(ctx)
	if err == nil {
		return seen, errors.Join(lines.write(&arcp.Envelope{Payload: res}), seen.shed)
	}
	var e *arcp.Error
	if status := job.Status(); errors.As(err, &e) && status != arcp.StatusRunning {
		if err := lines.write(&arcp.Envelope{Payload: &arcp.JobError{
			JobID: job.ID(), FinalStatus: status, Code: e.Code, Message: e.Message, Retryable: e.Retryable, Details: e.Details,
		}}); err != nil {
			return seen, err
		}
	}
	return seen, jobError(job.Status(), err)
}

// jsonLines is a view that writes messages: the type, what the envelope says, and the payload as it was on the wire.
type jsonLines struct {
	out io.Writer
	job *client.Job
}

// followed shows a job in the way that was asked for, and says how to come back to one that was lost sight of.
func followed(ctx context.Context, job *client.Job, v view, out io.Writer, ndjson bool) error {
	var err error
	if ndjson {
		_, err = followJSON(ctx, job, out)
	} else {
		_, err = follow(ctx, job, v, out)
	}
	err = classify(err)
	var e *exitError
	if errors.As(err, &e) && e.code == exitNoLink && job.Status() == arcp.StatusRunning {
		return &exitError{code: exitNoLink, err: fmt.Errorf("%w\nthe job may go on; to follow it: arcp watch %s", err, job.ID())}
	}
	return err
}

// line is one of them.
type line struct {
	Type     arcp.MessageType `json:"type"`
	ID       string           `json:"id,omitzero"`
	JobID    string           `json:"job_id"`
	EventSeq uint64           `json:"event_seq,omitzero"`
	TraceID  string           `json:"trace_id,omitzero"`
	Payload  arcp.RawJSON     `json:"payload"`
}

func (l *jsonLines) accepted(a *arcp.JobAccepted) error {
	return l.write(&arcp.Envelope{TraceID: a.TraceID, Payload: a})
}

func (l *jsonLines) event(ev *arcp.Event) error {
	return l.write(&arcp.Envelope{
		ID: ev.ID, EventSeq: ev.Seq, TraceID: ev.TraceID,
		Payload: &arcp.JobEvent{Kind: ev.Kind, TS: ev.TS, Body: ev.Body},
	})
}

func (l *jsonLines) note(string) {}

func (l *jsonLines) close() {}

func (l *jsonLines) write(e *arcp.Envelope) error {
	payload, err := e.Payload.AppendJSON(nil)
	if err != nil {
		return err
	}
	text, err := dynjson.Marshal(line{
		Type: e.Payload.MessageType(), ID: e.ID, JobID: l.job.ID(), EventSeq: e.EventSeq, TraceID: e.TraceID, Payload: payload,
	})
	if err != nil {
		return err
	}
	_, err = l.out.Write(append(text, '\n'))
	return err
}
