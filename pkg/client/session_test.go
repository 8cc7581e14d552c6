package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

// peerConn says other things of the far end than a pipe does.
type peerConn struct {
	transport.Conn
	peer transport.Peer
}

func (c peerConn) Peer() transport.Peer { return c.peer }

func TestConnectKeepsTokensOffTheOpenNetwork(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		o     Options
		peer  transport.Peer
		sends bool
	}{
		{"token in clear", Options{Token: "t"}, transport.Peer{Addr: "10.0.0.1:80"}, false},
		{"told so", Options{Token: "t", Insecure: true}, transport.Peer{Addr: "10.0.0.1:80"}, true},
		{"no token", Options{}, transport.Peer{Addr: "10.0.0.1:80"}, true},
		{"loopback", Options{Token: "t"}, transport.Peer{Loopback: true}, true},
		{"secure", Options{Token: "t"}, transport.Peer{Secure: true}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := transport.Pipe()
				done := make(chan error, 1)
				go func() {
					_, err := Connect(t.Context(), dial(peerConn{ours, c.peer}), &c.o)
					done <- err
				}()
				frame, err := theirs.Read(nil)
				if sent := err == nil; sent != c.sends {
					t.Errorf("the first frame is %s, %v; want one: %v", frame, err, c.sends)
				}
				_ = theirs.Close("")
				if err := <-done; errors.Is(err, ErrInsecure) == c.sends {
					t.Errorf("Connect = %v", err)
				}
			})
		})
	}
}

// guards K3: the context of Connect is over, the session is not.
func TestConnectContextBoundsTheHandshakeOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := transport.Pipe()
		p := &peer{t: t, conn: theirs}
		go func() {
			p.read()
			p.send(benchWelcome)
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		s, err := Connect(ctx, dial(ours), &Options{Reconnect: once()})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		start(t, s, p, "a")
		_ = theirs.Close("")
		<-s.Done()
	})
}

func TestConnectContextEndsTheHandshake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := transport.Pipe()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := Connect(ctx, dial(ours), &Options{Reconnect: once()}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Connect = %v, want the context's error", err)
		}
		for {
			if _, err := theirs.Read(nil); err != nil {
				return // the connection is closed
			}
		}
	})
}

func TestConnectReturnsTheDialersError(t *testing.T) {
	t.Parallel()
	broken := errors.New("no route")
	d := transport.DialerFunc(func(context.Context) (transport.Conn, error) { return nil, broken })
	if _, err := Connect(t.Context(), d, nil); !errors.Is(err, broken) {
		t.Errorf("Connect = %v, want the dialer's error", err)
	}
}

func TestNothingShowsTheToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &Options{Token: "s3cret"}
		s, p := open(t, o)
		j := start(t, s, p, "a")
		synctest.Wait()
		for _, v := range []any{o, *o, s, j, s.o} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
				if text := fmt.Sprintf(verb, v); strings.Contains(text, "s3cret") {
					t.Errorf("%s of %T shows the token", verb, v)
				}
			}
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "options", o, "value", *o)
		if strings.Contains(log.String(), "s3cret") {
			t.Errorf("the log shows the token: %s", log.String())
		}
	})
}

func TestSubmitEnvelopeCarriesTraceAndExtensions(t *testing.T) {
	t.Parallel()
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	synctest.Test(t, func(t *testing.T) {
		s, p := open(t, nil)
		sent := &arcp.Envelope{
			TraceID: trace, Extensions: arcp.RawJSON(`{"x-vendor.acme.a":1}`), Payload: &arcp.JobSubmit{Agent: "a"},
		}
		go func() {
			e := p.read()
			if e.TraceID != trace || string(e.Extensions) != string(sent.Extensions) || e.SessionID != s.ID() {
				t.Errorf("the runtime read %+v", e)
			}
			p.send(`{"arcp":"1.1","type":"job.accepted","session_id":"sess_01","id":"a","job_id":"J","trace_id":%q,`+
				`"payload":{"request_id":%q,"job_id":"J"}}`, trace, e.ID)
			p.send(`{"arcp":"1.1","type":"job.event","session_id":"sess_01","event_seq":1,"id":"J.1","job_id":"J","trace_id":%q,`+
				`"payload":{"kind":"thought","ts":"2026-11-24T12:00:00Z","body":{"text":"x"}},"extensions":{"x-vendor.acme.b":[2]}}`, trace)
		}()
		j, err := s.SubmitEnvelope(t.Context(), sent)
		if err != nil || j.Accepted().TraceID != trace {
			t.Fatalf("SubmitEnvelope = %+v, %v", j, err)
		}
		if sent.ID != "" || sent.SessionID != "" {
			t.Errorf("the caller's envelope was changed: %+v", sent)
		}
		ev, err := j.Next(t.Context())
		if err != nil || ev.TraceID != trace || string(ev.Extensions) != `{"x-vendor.acme.b":[2]}` || ev.ID != "J.1" {
			t.Errorf("Next = %+v, %v", ev, err)
		}
		if _, err := s.SubmitEnvelope(t.Context(), &arcp.Envelope{Payload: &arcp.JobCancel{}}); !errors.Is(err, arcp.CodeInvalidRequest) {
			t.Errorf("SubmitEnvelope of a cancel = %v, want INVALID_REQUEST", err)
		}
	})
}

func TestSubmitOfMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p := open(t, nil)
		const n = 200
		go func() {
			var waiting []*arcp.Envelope
			for range n {
				waiting = append(waiting, p.read())
			}
			for i := range waiting { // the last first
				p.accept(waiting[n-1-i])
			}
		}()
		var wait sync.WaitGroup
		for i := range n {
			wait.Go(func() {
				agent := fmt.Sprint("a", i)
				j, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: agent})
				if err != nil || j.ID() != "job_"+agent {
					t.Errorf("Submit(%s) = %v, %v", agent, j, err)
				}
			})
		}
		wait.Wait()
	})
}

func TestSubmitRefusesWhatTheRuntimeWouldNotRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		submit *arcp.JobSubmit
		ok     bool
	}{
		{"no agent", &arcp.JobSubmit{}, false},
		{"bad agent", &arcp.JobSubmit{Agent: "A b"}, false},
		{"too large", &arcp.JobSubmit{Agent: "a", Input: arcp.RawJSON(`"` + strings.Repeat("x", 1_000_000) + `"`)}, false},
		{"large", &arcp.JobSubmit{Agent: "a", Input: arcp.RawJSON(`"` + strings.Repeat("x", 999_000) + `"`)}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, p := open(t, nil)
				sent := make(chan bool, 1)
				go func() {
					e := p.read()
					if e != nil {
						p.accept(e)
					}
					sent <- e != nil
				}()
				_, err := s.Submit(t.Context(), c.submit)
				if (err == nil) != c.ok {
					t.Errorf("Submit = %v, want success: %v", err, c.ok)
				}
				if err != nil && (!errors.Is(err, arcp.CodeInvalidRequest) || arcp.IsRemote(err)) {
					t.Errorf("Submit = %v, want a local INVALID_REQUEST", err)
				}
				_ = s.current().Drain(t.Context(), "")
				if <-sent != c.ok {
					t.Errorf("a frame was sent: %v", !c.ok)
				}
			})
		})
	}
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := open(t, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close = %v, want the context's error", err)
		}
		if err := s.Err(); !errors.Is(err, ErrClosed) || !errors.Is(err, ErrLinkLost) {
			t.Errorf("Err() = %v, want ErrClosed and ErrLinkLost", err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("second Close = %v", err)
		}
	})
}

// A client that cannot write because its peer does not read still takes cancels and answers of other things.
func TestSubmitWaitsForRoomUnderItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p := open(t, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		input := arcp.RawJSON(`"` + strings.Repeat("x", 900_000) + `"`)
		var wait sync.WaitGroup
		for range 16 {
			wait.Go(func() {
				if _, err := s.Submit(ctx, &arcp.JobSubmit{Agent: "a", Input: input}); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Submit = %v, want the context's error", err)
				}
			})
		}
		wait.Wait()
		if err := s.Err(); err != nil {
			t.Errorf("Err() = %v, want a session that lives", err)
		}
		go func() {
			for e := p.read(); e != nil; e = p.read() {
				if e.Payload.(*arcp.JobSubmit).Agent == "b" {
					p.accept(e)
				}
			}
		}()
		if _, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: "b"}); err != nil {
			t.Errorf("Submit once the peer reads = %v", err)
		}
	})
}
