package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

// feed is a connection that has n events of one job to read, as fast as they are asked for.
type feed struct {
	seq, n  int
	gate    chan struct{} // closed when the events may come
	closed  chan struct{}
	opening [][]byte
	prefix  []byte
	middle  []byte
	tail    []byte
}

const benchWelcome = `{"arcp":"1.1","type":"session.welcome","session_id":"sess_01","id":"w","payload":{"runtime":{"name":"r"},` +
	`"resume_token":"t","resume_window_sec":600,"capabilities":{"encodings":["json"],"features":[],"agents":[]}}}`

func newFeed(n int) *feed {
	return &feed{
		n: n, gate: make(chan struct{}), closed: make(chan struct{}),
		opening: [][]byte{
			[]byte(benchWelcome),
			[]byte(`{"arcp":"1.1","type":"job.accepted","session_id":"sess_01","id":"a","job_id":"job_01","payload":{"job_id":"job_01"}}`),
		},
		prefix: arcp.AppendSequencedPrefix(nil, arcp.TypeJobEvent, "sess_01"),
		middle: []byte(`,"id":"job_01.`),
		tail: []byte(`","job_id":"job_01","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","payload":{"kind":"progress",` +
			`"ts":"2026-11-24T12:00:00.123Z","body":{"current":12,"total":100,"units":"files","message":"walking the tree"}}}`),
	}
}

func (f *feed) Read(dst []byte) ([]byte, error) {
	if len(f.opening) > 0 {
		if len(f.opening) == 1 {
			<-f.gate
		}
		dst = append(dst, f.opening[0]...)
		f.opening = f.opening[1:]
		return dst, nil
	}
	if f.seq == f.n {
		<-f.closed
		return dst, io.EOF
	}
	f.seq++
	dst = append(dst, f.prefix...)
	dst = strconv.AppendInt(dst, int64(f.seq), 10)
	dst = append(dst, f.middle...)
	dst = strconv.AppendInt(dst, int64(f.seq), 10)
	return append(dst, f.tail...), nil
}

// Write opens the gate for the events when the submit comes.
func (f *feed) Write(frame []byte) error {
	if bytes.Contains(frame, []byte(`"job.submit"`)) {
		close(f.gate)
	}
	return nil
}

func (f *feed) Flush() error         { return nil }
func (f *feed) Peer() transport.Peer { return transport.Peer{Secure: true} }
func (f *feed) Close(string) error {
	select {
	case <-f.closed:
	default:
		close(f.closed)
	}
	return nil
}

func BenchmarkEvents(b *testing.B) {
	f := newFeed(b.N)
	s, err := Connect(b.Context(), transport.DialerFunc(func(context.Context) (transport.Conn, error) { return f, nil }),
		&Options{EventBytes: 1 << 40, Reconnect: once()})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(f.prefix) + len(f.middle) + len(f.tail) + 12))
	b.ResetTimer()
	job, err := s.Submit(b.Context(), &arcp.JobSubmit{Agent: "a"})
	if err != nil {
		b.Fatal(err)
	}
	for range b.N {
		if _, err := job.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	_ = f.Close("")
	<-s.Done()
	if !errors.Is(s.Err(), ErrLinkLost) {
		b.Errorf("Err() = %v", s.Err())
	}
}
