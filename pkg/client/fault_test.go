package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// The whole conversation of converse, in frames of each direction.
const framesIn, framesOut = 11, 5

// guards K5: wherever the connection ends, everybody who waits is told, and told that it was the link.
func TestCutAtEveryFrame(t *testing.T) {
	t.Parallel()
	for n := 1; n <= framesIn; n++ {
		cutAt(t, fmt.Sprint("read ", n), faulty.Plan{CutRead: n}, n == framesIn)
	}
	for n := 1; n <= framesOut; n++ {
		cutAt(t, fmt.Sprint("write ", n), faulty.Plan{CutWrite: n}, n == framesOut)
	}
	cutAt(t, "never", faulty.Plan{}, true)
}

func cutAt(t *testing.T, name string, plan faulty.Plan, whole bool) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := transport.Pipe()
			go converse(&peer{t: t, conn: theirs, lax: true})
			err := useAll(t, faulty.New(ours, plan))
			switch {
			case whole && err != nil:
				t.Errorf("error %v, want none: all was said before the cut", err)
			case !whole && !errors.Is(err, ErrLinkLost):
				t.Errorf("error %v, want ErrLinkLost", err)
			}
			_ = theirs.Close("")
		})
	})
}

// converse is a runtime that accepts two jobs: it cancels one when asked and streams the result of the other.
func converse(p *peer) {
	for e := p.read(); e != nil; e = p.read() {
		switch m := e.Payload.(type) {
		case *arcp.SessionHello:
			p.send(benchWelcome)
		case *arcp.JobSubmit:
			p.accept(e)
			if m.Agent == "b" {
				p.thought("job_a", "one")
				p.thought("job_b", "two")
				p.chunk("job_b", 0, "x", true)
				p.chunk("job_b", 1, "y", false)
				p.result("job_b", `"result_id":"R","result_size":2`)
			}
		case *arcp.JobCancel:
			p.send(`{"arcp":"1.1","type":"job.cancelled","session_id":"sess_01","id":"c","job_id":"job_a","payload":{"job_id":"job_a","request_id":%q}}`, e.ID)
			p.seq++
			p.send(`{"arcp":"1.1","type":"job.error","session_id":"sess_01","event_seq":%d,"id":"job_a.2","job_id":"job_a",`+
				`"payload":{"final_status":"cancelled","code":"CANCELLED","message":"so","retryable":false}}`, p.seq)
		case *arcp.SessionClose:
			p.send(`{"arcp":"1.1","type":"session.closed","session_id":"sess_01","id":"z","payload":{}}`)
		}
	}
}

// useAll does everything a client can, and returns the first error.
func useAll(t *testing.T, conn transport.Conn) error {
	s, err := Connect(t.Context(), dial(conn), &Options{Reconnect: once()})
	if err != nil {
		return err
	}
	defer func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("Close = %v", err)
		}
		if !errors.Is(s.Err(), ErrLinkLost) {
			t.Errorf("Err() = %v", s.Err())
		}
	}()
	a, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: "a"})
	if err != nil {
		return err
	}
	b, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: "b"})
	if err != nil {
		return err
	}
	return errors.Join(useStream(t, b), useCancel(t, a))
}

func useStream(t *testing.T, j *Job) error {
	r, err := j.ResultReader(t.Context())
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	if err == nil && string(data) != "xy" {
		return fmt.Errorf("result %q", data)
	}
	return err
}

func useCancel(t *testing.T, j *Job) error {
	if err := j.Cancel(t.Context(), "so"); err != nil {
		return err
	}
	if _, err := j.Result(t.Context()); !errors.Is(err, arcp.CodeCancelled) {
		return err
	}
	n := 0
	for _, err := range j.Events(t.Context()) {
		if err != nil {
			return err
		}
		n++
	}
	if n != 1 {
		return fmt.Errorf("%d events, want 1", n)
	}
	return nil
}
