package ws_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves an endpoint on loopback and returns its ws:// or wss:// URL.
func start(t *testing.T, o *ws.Options, cfg *tls.Config, serve func(context.Context, transport.Conn)) string {
	t.Helper()
	e := ws.Handler(o, serve)
	ln, err := ws.Listen(t.Context(), "127.0.0.1:0", &ws.ListenOptions{TLS: cfg})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := ws.Serve(ctx, ln, e, nil); err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		if err := e.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown = %v", err)
		}
	})
	scheme := "ws"
	if cfg != nil {
		scheme = "wss"
	}
	return scheme + "://" + ln.Addr().String() + "/x"
}

// echo answers each frame with itself, and a refused frame with the error's text.
func echo(_ context.Context, c transport.Conn) {
	for {
		f, err := c.Read(nil)
		var fe *transport.FrameError
		switch {
		case errors.As(err, &fe):
			f = []byte(fe.Error())
		case err != nil:
			return
		}
		if c.Write(f) != nil || c.Flush() != nil {
			return
		}
	}
}

func dial(t *testing.T, d *ws.Dialer) transport.Conn {
	t.Helper()
	c, err := d.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close("test over") })
	return c
}

func send(t *testing.T, c transport.Conn, frames ...[]byte) {
	t.Helper()
	for _, f := range frames {
		if err := c.Write(f); err != nil {
			t.Fatalf("Write = %v", err)
		}
	}
	if err := c.Flush(); err != nil {
		t.Fatalf("Flush = %v", err)
	}
}

func recv(t *testing.T, c transport.Conn) string {
	t.Helper()
	f, err := c.Read(nil)
	if err != nil {
		t.Fatalf("Read = %v", err)
	}
	return string(f)
}

func testTLS(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12}, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	server, client := testTLS(t)
	for _, tc := range []struct {
		name           string
		server, client *tls.Config
	}{{"clear", nil, nil}, {"TLS", server, client}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			url := start(t, nil, tc.server, echo)
			c := dial(t, &ws.Dialer{URL: url, TLSConfig: tc.client})
			if p := c.Peer(); !p.Secure || !p.Loopback {
				t.Errorf("Peer = %+v, want secure and loopback", p)
			}
			sizes := []int{0, 1, 15, 16, 125, 126, 1023, 1025, 4096, 65535, 65536, 1_000_000}
			go func() {
				for _, n := range sizes {
					_ = c.Write(bytes.Repeat([]byte{'a' + byte(n%26)}, n))
				}
				_ = c.Flush()
			}()
			for _, n := range sizes {
				want := strings.Repeat(string(rune('a'+n%26)), n)
				if got := recv(t, c); got != want {
					t.Fatalf("frame of %d bytes came back with %d", n, len(got))
				}
			}
		})
	}
}

func TestReadAppends(t *testing.T) {
	t.Parallel()
	c := dial(t, &ws.Dialer{URL: start(t, nil, nil, echo)})
	send(t, c, []byte("one"))
	dst := make([]byte, 2, 64)
	copy(dst, "> ")
	f, err := c.Read(dst)
	if err != nil || string(f) != "> one" {
		t.Fatalf("Read = %q, %v", f, err)
	}
	if &f[0] != &dst[0] {
		t.Error("Read allocated although the frame fits")
	}
}

// guards I10 and J5: an oversized frame is reported and the connection goes on; an absurd one ends it.
func TestOversizedFrame(t *testing.T) {
	t.Parallel()
	c := dial(t, &ws.Dialer{URL: start(t, &ws.Options{MaxFrame: 1000}, nil, echo)})
	send(t, c, bytes.Repeat([]byte("x"), 1000), bytes.Repeat([]byte("x"), 1001), []byte("after"))
	if got := recv(t, c); len(got) != 1000 {
		t.Errorf("a frame at the limit came back with %d bytes", len(got))
	}
	if got, want := recv(t, c), "frame of 1001 bytes exceeds the limit of 1000"; got != want {
		t.Errorf("Read = %q, want %q", got, want)
	}
	if got := recv(t, c); got != "after" {
		t.Errorf("Read = %q, want the frame behind the large one", got)
	}
	send(t, c, bytes.Repeat([]byte("x"), 50_000))
	if _, err := c.Read(nil); err == nil || !strings.Contains(err.Error(), "1009") {
		t.Errorf("Read after an absurd frame = %v, want status 1009", err)
	}
}

func TestSubprotocol(t *testing.T) {
	t.Parallel()
	url := start(t, &ws.Options{Subprotocol: "p.v1"}, nil, echo)
	for _, tc := range []struct {
		offer []string
		want  string
	}{{nil, ""}, {[]string{"other"}, ""}, {[]string{"other", "p.v1"}, "p.v1"}} {
		c, resp, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: tc.offer})
		if err != nil {
			t.Fatal(err)
		}
		if got, sent := c.Subprotocol(), resp.Header.Values("Sec-WebSocket-Protocol"); got != tc.want || tc.want == "" && len(sent) > 0 {
			t.Errorf("offer %q: subprotocol = %q, header %q, want %q", tc.offer, got, sent, tc.want)
		}
		_ = c.Close(websocket.StatusNormalClosure, "")
	}
}

func TestClearOffLoopbackRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"ws://192.0.2.1:1/x", "ws://arcp.example/x"} {
		if _, err := (&ws.Dialer{URL: url}).Dial(t.Context()); !errors.Is(err, ws.ErrInsecure) {
			t.Errorf("Dial(%s) = %v, want ErrInsecure", url, err)
		}
	}
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0"} {
		if _, err := ws.Listen(t.Context(), addr, nil); !errors.Is(err, ws.ErrInsecure) {
			t.Errorf("Listen(%s) = %v, want ErrInsecure", addr, err)
		}
	}
	ln, err := ws.Listen(t.Context(), ":0", &ws.ListenOptions{Insecure: true})
	if err != nil {
		t.Fatalf("Listen insecure = %v", err)
	}
	_ = ln.Close()
}

func TestDialErrors(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.RedirectHandler("https://elsewhere.example/", http.StatusFound))
	t.Cleanup(plain.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	wsURL := func(s *httptest.Server) string { return "ws" + strings.TrimPrefix(s.URL, "http") }
	for _, tc := range []struct{ name, url, want string }{
		{"closed port", wsURL(closed), "connection refused"},
		{"redirect is not followed", wsURL(plain), "did not upgrade: 302"},
		{"scheme", "http://127.0.0.1/", "scheme must be ws or wss"},
		{"garbage", "ws://127.0.0.1:x/", "invalid port"},
	} {
		if _, err := (&ws.Dialer{URL: tc.url}).Dial(t.Context()); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: Dial = %v, want %q", tc.name, err, tc.want)
		}
	}
}
