package ws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// A close after a flush must not overtake what was flushed, nor destroy it by a reset.
func TestCloseDeliversWhatWasFlushed(t *testing.T) {
	t.Parallel()
	const n = 200
	url := start(t, nil, nil, func(_ context.Context, c transport.Conn) {
		for i := range n {
			_ = c.Write(fmt.Appendf(nil, "%d", i))
		}
		_ = c.Flush()
		_ = c.Close("enough")
	})
	c := dial(t, &ws.Dialer{URL: url})
	send(t, c, []byte("unread by the server"))
	for i := range n {
		if got, want := recv(t, c), fmt.Sprint(i); got != want {
			t.Fatalf("Read = %q, want %q", got, want)
		}
	}
	if _, err := c.Read(nil); !errors.Is(err, io.EOF) {
		t.Errorf("Read at the end = %v, want io.EOF", err)
	}
}

// guards J2: Close, from anywhere and any number of times, unblocks a Read and a Write to a peer that takes nothing.
func TestCloseUnblocks(t *testing.T) {
	t.Parallel()
	quit := make(chan struct{})
	url := start(t, nil, nil, func(context.Context, transport.Conn) { <-quit })
	t.Cleanup(func() { close(quit) })
	c := dial(t, &ws.Dialer{URL: url})
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := c.Read(nil); !errors.Is(err, transport.ErrClosed) {
			t.Errorf("Read = %v, want ErrClosed", err)
		}
	})
	wg.Go(func() {
		for frame := make([]byte, 500_000); ; {
			err := c.Write(frame)
			if err == nil {
				err = c.Flush()
			}
			if err != nil {
				if !errors.Is(err, transport.ErrClosed) {
					t.Errorf("Write = %v, want ErrClosed", err)
				}
				return
			}
		}
	})
	for range 3 {
		wg.Go(func() { _ = c.Close("over") })
	}
	wg.Wait()
}

// A ping of the WebSocket layer is answered although nobody flushes for it.
func TestPingAnswered(t *testing.T) {
	t.Parallel()
	url := start(t, nil, nil, echo)
	c, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.CloseRead(t.Context())
	if err := c.Ping(t.Context()); err != nil {
		t.Errorf("Ping = %v", err)
	}
	_ = c.Close(websocket.StatusNormalClosure, "")
}

func TestBinaryFramesAndFragments(t *testing.T) {
	t.Parallel()
	url := start(t, nil, nil, echo)
	c, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	w, err := c.Writer(t.Context(), websocket.MessageBinary)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"three ", "fragments ", "of bytes"} {
		if _, err := io.WriteString(w, part); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	typ, b, err := c.Read(t.Context())
	if err != nil || typ != websocket.MessageText || string(b) != "three fragments of bytes" {
		t.Errorf("Read = %v, %q, %v", typ, b, err)
	}
}

func TestLostConnectionIsNotClean(t *testing.T) {
	t.Parallel()
	got := make(chan error, 1)
	url := start(t, nil, nil, func(_ context.Context, c transport.Conn) {
		_, err := c.Read(nil)
		got <- err
	})
	c, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.CloseNow()
	if err := <-got; err == nil || errors.Is(err, io.EOF) {
		t.Errorf("Read = %v, want an error that is not io.EOF", err)
	}
}

// guards T9
func TestMaxConnsAndShutdown(t *testing.T) {
	t.Parallel()
	e := ws.Handler(&ws.Options{MaxConns: 1}, func(ctx context.Context, _ transport.Conn) { <-ctx.Done() })
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	d := &ws.Dialer{URL: "ws" + strings.TrimPrefix(s.URL, "http")}
	dial(t, d)
	if _, err := d.Dial(t.Context()); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("second Dial = %v, want 503", err)
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	if _, err := d.Dial(t.Context()); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("Dial after Shutdown = %v, want 503", err)
	}
}

// guards J8
func TestFailedHandshakesLeaveNothing(t *testing.T) {
	t.Parallel()
	url := start(t, nil, nil, func(context.Context, transport.Conn) {})
	for range 200 {
		c, err := (&ws.Dialer{URL: url}).Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(nil); !errors.Is(err, io.EOF) {
			t.Fatalf("Read = %v, want io.EOF", err)
		}
		_ = c.Close("")
	}
}

// The peer's close frame is answered, although nobody flushes for it.
func TestPeerCloseIsAnswered(t *testing.T) {
	t.Parallel()
	c, _, err := websocket.Dial(t.Context(), start(t, nil, nil, echo), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Errorf("the close handshake failed: %v", err)
	}
}

// A frame that came in one packet with the upgrade request is not lost.
func TestFrameBehindTheUpgrade(t *testing.T) {
	t.Parallel()
	url := start(t, nil, nil, echo)
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimSuffix(strings.TrimPrefix(url, "ws://"), "/x"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, upgrade+"\x81\x85\x00\x00\x00\x00hello"); err != nil {
		t.Fatal(err)
	}
	for buf, got := make([]byte, 512), ""; !strings.HasSuffix(got, "\r\n\r\n\x81\x05hello"); {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatalf("Read = %v after %q", err, got)
		}
		got += string(buf[:n])
	}
}

// guards J6: storms of Write, Flush, Read and Close from everywhere.
func TestStorm(t *testing.T) {
	t.Parallel()
	url := start(t, nil, nil, echo)
	for range 20 {
		c := dial(t, &ws.Dialer{URL: url})
		var wg sync.WaitGroup
		wg.Go(func() {
			for c.Write([]byte("x")) == nil && c.Flush() == nil {
			}
		})
		wg.Go(func() {
			for n := 0; ; n++ {
				if _, err := c.Read(nil); err != nil {
					return
				}
				if n == 10 {
					go func() { _ = c.Close("one") }()
					go func() { _ = c.Close("two") }()
				}
			}
		})
		wg.Wait()
	}
}

// Who never flushes does not fill the memory: a batch leaves by itself.
func TestWriteFlushesABatchByItself(t *testing.T) {
	t.Parallel()
	const n, size = 1000, 1000
	url := start(t, nil, nil, func(ctx context.Context, c transport.Conn) {
		for range n {
			_ = c.Write(make([]byte, size))
		}
		<-ctx.Done()
	})
	c := dial(t, &ws.Dialer{URL: url})
	for range n - 64<<10/size - 1 {
		recv(t, c)
	}
}
