package client

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

// peer is a synthetic runtime: the test writes its frames by hand.
type peer struct {
	t    *testing.T
	conn transport.Conn
	seq  int
	lax  bool       // frames may be lost
	mu   sync.Mutex // over send
}

// open connects a session to a synthetic runtime.
func open(t *testing.T, o *Options) (*Session, *peer) {
	t.Helper()
	ours, theirs := transport.Pipe()
	p := &peer{t: t, conn: theirs}
	greeted := make(chan struct{})
	go func() {
		defer close(greeted)
		p.read()
		p.send(benchWelcome)
	}()
	if o == nil {
		o = &Options{}
	}
	if o.Reconnect == nil {
		o.Reconnect = once()
	}
	s, err := Connect(t.Context(), dial(ours), o)
	if err != nil {
		t.Fatalf("Connect = %v", err)
	}
	<-greeted
	t.Cleanup(func() {
		_ = theirs.Close("end of the test")
		<-s.Done()
	})
	return s, p
}

// once is for sessions that end with their link.
func once() *Reconnect { return &Reconnect{Off: true} }

func dial(c transport.Conn) transport.Dialer {
	return transport.DialerFunc(func(context.Context) (transport.Conn, error) { return c, nil })
}

// read returns the next frame, nil at the end of the connection.
func (p *peer) read() *arcp.Envelope {
	frame, err := p.conn.Read(nil)
	if err != nil {
		return nil
	}
	e, err := arcp.Decode(frame)
	if err != nil {
		p.t.Errorf("the client sent %s: %v", frame, err)
	}
	return e
}

// send writes one frame, which must go through.
func (p *peer) send(format string, args ...any) {
	p.t.Helper()
	if err := p.try(format, args...); err != nil && !p.lax {
		p.t.Errorf("send = %v", err)
	}
}

func (p *peer) try(format string, args ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.conn.Write(fmt.Appendf(nil, format, args...)); err != nil {
		return err
	}
	return p.conn.Flush()
}

// accept answers a submit. The job is called after the agent.
func (p *peer) accept(e *arcp.Envelope) {
	job := "job_" + e.Payload.(*arcp.JobSubmit).Agent
	p.send(`{"arcp":"1.1","type":"job.accepted","session_id":"sess_01","id":"a","job_id":%q,"payload":{"request_id":%q,"job_id":%[1]q}}`, job, e.ID)
}

func (p *peer) thought(job, text string) {
	p.seq++
	p.send(`{"arcp":"1.1","type":"job.event","session_id":"sess_01","event_seq":%d,"id":"%s.%[1]d","job_id":%[2]q,`+
		`"payload":{"kind":"thought","ts":"2026-11-24T12:00:00Z","body":{"text":%q}}}`, p.seq, job, text)
}

func (p *peer) chunk(job string, number int, data string, more bool) {
	p.seq++
	p.send(`{"arcp":"1.1","type":"job.event","session_id":"sess_01","event_seq":%d,"id":"%s.%[1]d","job_id":%[2]q,`+
		`"payload":{"kind":"result_chunk","ts":"2026-11-24T12:00:00Z","body":{"result_id":"R","chunk_seq":%d,"data":%q,"encoding":"utf8","more":%v}}}`,
		p.seq, job, number, data, more)
}

// result ends a job; members go into the payload.
func (p *peer) result(job, members string) {
	p.seq++
	p.send(`{"arcp":"1.1","type":"job.result","session_id":"sess_01","event_seq":%d,"id":"%s.%[1]d","job_id":%[2]q,`+
		`"payload":{"final_status":"success",%s}}`, p.seq, job, members)
}

// start submits a job and has it accepted.
func start(t *testing.T, s *Session, p *peer, agent string) *Job {
	t.Helper()
	go func() { p.accept(p.read()) }()
	j, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: agent})
	if err != nil {
		t.Fatalf("Submit(%s) = %v", agent, err)
	}
	return j
}
