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
// *arcp.Error, a connection that ends before the answer is ErrLinkLost. The session ends with Close or with its link; see Done.
func Connect(ctx context.Context, d transport.Dialer, o *Options) (*Session, error) {
	opts := o.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, opts.HandshakeTimeout)
	defer cancel()
	conn, err := d.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("client: connect: %w", err)
	}
	if p := conn.Peer(); opts.Token != "" && !opts.Insecure && !p.Secure && !p.Loopback {
		_ = conn.Close("no token in clear")
		return nil, fmt.Errorf("%w (to %s)", ErrInsecure, p.Addr)
	}
	hello := opts.takeHello()
	s := newSession(conn, opts)
	if err := s.handshake(ctx, hello); err != nil {
		return nil, fmt.Errorf("client: connect: %w", err)
	}
	return s, nil
}

// handshake sends hello and waits for what ends it. When it fails the link is gone.
func (s *Session) handshake(ctx context.Context, hello *arcp.SessionHello) error {
	go s.run()
	err := s.link.Send(&arcp.Envelope{ID: s.nextID(), Payload: hello})
	if err == nil {
		select {
		case <-s.welcomed:
			return nil
		case <-s.ended:
			return s.err
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	cut, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.link.Drain(cut, "no handshake") // cut at once: nothing is worth waiting for
	<-s.ended
	return err
}

// greeting handles the frames before the welcome, on the reader.
func (s *Session) greeting(e *arcp.Envelope) error {
	switch p := e.Payload.(type) {
	case *arcp.SessionWelcome:
		if e.SessionID == "" {
			return fmt.Errorf("%w: a welcome without session_id", ErrProtocol)
		}
		e.Payload = nil
		s.id, s.welcome = e.SessionID, p
		s.log = s.o.Logger.With("session", s.id)
		s.startHeartbeat()
		s.open = true
		close(s.welcomed)
		return nil
	case *arcp.SessionError:
		return remoteError(p)
	case *arcp.SessionPing:
		return s.pong(p)
	case *arcp.UnknownMessage:
		return nil
	}
	return fmt.Errorf("%w: %s before the welcome", ErrProtocol, e.Type)
}

func (s *Session) startHeartbeat() {
	if !s.has(arcp.FeatureHeartbeat) {
		return
	}
	s.link.SetHeartbeat(link.Heartbeat{
		Interval: time.Duration(min(s.welcome.HeartbeatIntervalSec, maxIntervalSec)) * time.Second,
		Ping: func() *arcp.Envelope {
			id := s.nextID()
			return s.envelope(id, &arcp.SessionPing{Nonce: id, SentAt: time.Now()})
		},
	})
}

// maxIntervalSec keeps an interval inside a time.Duration, twice.
const maxIntervalSec = 1 << 32

func (s *Session) pong(p *arcp.SessionPing) error {
	err := s.link.Send(s.envelope(s.nextID(), &arcp.SessionPong{PingNonce: p.Nonce, ReceivedAt: time.Now()}))
	if errors.Is(err, link.ErrClosed) {
		return nil
	}
	return err
}

func remoteError(p *arcp.SessionError) error {
	return arcp.RemoteError(p.Code, p.Message, p.Retryable, p.Details)
}
