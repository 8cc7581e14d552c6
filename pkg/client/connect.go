package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/transport"
)

// Connect dials a runtime and opens a session (§6.1). ctx bounds the dialling and the handshake and nothing after them. A refusal is an
// *arcp.Error, a connection that ends before the answer is ErrLinkLost. Later links are made with the same dialer; the session ends with
// Close, or when Options.Reconnect gives up, or the runtime says so; see Done.
func Connect(ctx context.Context, d transport.Dialer, o *Options) (*Session, error) {
	return newSession(d, o.withDefaults()).connect(ctx)
}

// connect makes the first link. The session is of no use when it fails.
func (s *Session) connect(ctx context.Context) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.HandshakeTimeout)
	defer cancel()
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	life, halt := context.WithCancel(context.Background())
	s.halt = halt
	l := s.newLink(conn)
	go s.run(life, l)
	select {
	case <-s.welcomed:
		return s, nil
	case <-s.ended:
		return nil, fmt.Errorf("client: connect: %w", s.err)
	case <-ctx.Done():
	}
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	halt()
	cut(l)
	<-s.ended
	return nil, fmt.Errorf("client: connect: %w", ctx.Err())
}

// dial makes a connection that the token may go over.
func (s *Session) dial(ctx context.Context) (transport.Conn, error) {
	conn, err := s.dialer.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("client: connect: %w", err)
	}
	p := conn.Peer()
	if secret := !s.hello.Auth.Token.IsZero() || s.hello.Resume != nil; secret && !s.o.Insecure && !p.Secure && !p.Loopback {
		_ = conn.Close("no token in clear")
		return nil, fmt.Errorf("%w (to %s)", ErrInsecure, p.Addr)
	}
	return conn, nil
}

func (s *Session) newLink(conn transport.Conn) *link.Link {
	return link.New(conn, link.Options{
		OnBadFrame: func(err error) *arcp.Envelope {
			s.log.Warn("malformed frame ignored", "error", err)
			return nil
		},
		ControlBytes: arcp.LimitControlBytes,
		ReadAhead:    true,
	})
}

// cut ends a link without a last word: nothing is worth waiting for.
func cut(l *link.Link) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = l.Drain(ctx, "no handshake")
}

// greeting handles the frames before the welcome, on the reader.
func (s *Session) greeting(l *link.Link, e *arcp.Envelope) error {
	switch p := e.Payload.(type) {
	case *arcp.SessionWelcome:
		e.Payload = nil
		return s.greeted(l, e.SessionID, p)
	case *arcp.SessionError:
		return remoteError(p)
	case *arcp.SessionPing:
		return s.pong(l, p)
	case *arcp.UnknownMessage:
		return nil
	}
	return fmt.Errorf("%w: %s before the welcome", ErrProtocol, e.Type)
}

// greeted opens the session, or opens it again.
func (s *Session) greeted(l *link.Link, id string, p *arcp.SessionWelcome) error {
	switch {
	case id == "":
		return fmt.Errorf("%w: a welcome without session_id", ErrProtocol)
	case s.hello.Resume != nil && id != s.hello.Resume.SessionID:
		return fmt.Errorf("%w: the runtime began another one", ErrSessionExpired)
	}
	s.in.previous, s.in.token = s.in.token, p.ResumeToken
	s.in.open, s.in.begun = true, true
	s.welcome.Store(p)
	if s.hello.Resume == nil {
		s.id = id
		s.log = s.o.Logger.With("session", id)
		s.hello.Resume = &arcp.Resume{SessionID: id}
	}
	s.startHeartbeat(l)
	s.acks.on.Store(s.has(arcp.FeatureAck))
	s.connected(l)
	select {
	case <-s.welcomed:
		s.log.Info("session resumed", "from", s.in.seq)
		select {
		case s.renewed <- struct{}{}:
		default:
		}
	default:
		close(s.welcomed)
	}
	return nil
}

func (s *Session) startHeartbeat(l *link.Link) {
	if !s.has(arcp.FeatureHeartbeat) {
		return
	}
	l.SetHeartbeat(link.Heartbeat{
		Interval: seconds(s.Welcome().HeartbeatIntervalSec),
		Ping: func() *arcp.Envelope {
			id := s.nextID()
			return s.envelope(id, &arcp.SessionPing{Nonce: id, SentAt: time.Now()})
		},
	})
}

// seconds keeps a number of seconds inside a time.Duration, twice.
func seconds(n uint64) time.Duration {
	const limit = 1 << 32
	return time.Duration(min(n, limit)) * time.Second
}

func (s *Session) pong(l *link.Link, p *arcp.SessionPing) error {
	err := l.Send(s.envelope(s.nextID(), &arcp.SessionPong{PingNonce: p.Nonce, ReceivedAt: time.Now()}))
	if errors.Is(err, link.ErrClosed) {
		return nil
	}
	return err
}

func remoteError(p *arcp.SessionError) error {
	return arcp.RemoteError(p.Code, p.Message, p.Retryable, p.Details)
}
