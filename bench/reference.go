package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// flushFrames is how many frames the reference called "limit" sends a flush.
const flushFrames = 64

// limit sends n pre-encoded frames over a bare WebSocket, 64 a flush, and returns how long the other end took to read them. It is what no
// runtime on this transport can beat.
func limit(n int, frame []byte) (time.Duration, error) {
	h := ws.Handler(nil, func(_ context.Context, c transport.Conn) {
		for i := range n {
			if c.Write(frame) != nil {
				return
			}
			if i%flushFrames == flushFrames-1 && c.Flush() != nil {
				return
			}
		}
		_ = c.Flush()
		_, _ = c.Read(nil)
	})
	s := httptest.NewServer(h)
	defer s.Close()
	c, err := (&ws.Dialer{URL: wsURL(s)}).Dial(context.Background())
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close("") }()
	buf := make([]byte, 0, len(frame)+512)
	start := time.Now()
	for range n {
		if buf, err = c.Read(buf[:0]); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

// unbatched is limit with a write a frame, the way the WebSocket library works by itself.
func unbatched(n int, frame []byte) (time.Duration, error) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		for range n {
			if c.Write(context.Background(), websocket.MessageText, frame) != nil {
				return
			}
		}
		_, _, _ = c.Read(context.Background())
	}))
	defer s.Close()
	c, _, err := websocket.Dial(context.Background(), s.URL, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(-1)
	buf := make([]byte, len(frame)+512)
	start := time.Now()
	for range n {
		_, r, err := c.Reader(context.Background())
		if err != nil {
			return 0, err
		}
		for err == nil {
			_, err = r.Read(buf)
		}
	}
	return time.Since(start), nil
}

func wsURL(s *httptest.Server) string { return "ws" + strings.TrimPrefix(s.URL, "http") }
