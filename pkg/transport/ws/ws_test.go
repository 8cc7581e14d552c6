package ws_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

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

func testTLS(t *testing.T) (server, client *tls.Config) {
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

// guards I9 and T4
func TestHostAndOrigin(t *testing.T) {
	t.Parallel()
	o := &ws.Options{Hosts: []string{"arcp.example"}, Origins: []string{"https://app.example"}}
	e := ws.Handler(o, echo)
	loop := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7878}
	lan := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 7878}
	for _, tc := range []struct {
		name, host string
		local      net.Addr
		origin     []string
		tls, want  bool
	}{
		{name: "loopback name", host: "localhost:7878", local: loop, want: true},
		{name: "loopback name in capitals with a dot", host: "LOCALHOST.:7878", local: loop, want: true},
		{name: "loopback address", host: "127.0.0.1:7878", local: loop, want: true},
		{name: "loopback IPv6", host: "[::1]:7878", local: loop, want: true},
		{name: "rebound name", host: "evil.example:7878", local: loop},
		{name: "name that looks like loopback", host: "127.0.0.1.evil.example", local: loop},
		{name: "listed name", host: "ARCP.example", local: lan, want: true},
		{name: "unlisted name", host: "evil.example", local: lan},
		{name: "loopback name off loopback", host: "localhost", local: lan},
		{name: "own address", host: "192.0.2.7:7878", local: lan, want: true},
		{name: "another address", host: "192.0.2.8:7878", local: lan},
		{name: "no host", host: "", local: loop},
		{name: "own origin", host: "localhost:7878", local: loop, origin: []string{"http://localhost:7878"}, want: true},
		{name: "own name, other port", host: "localhost:7878", local: loop, origin: []string{"http://localhost:80"}},
		{name: "listed origin", host: "localhost", local: loop, origin: []string{"https://app.example"}, want: true},
		{name: "listed origin in clear", host: "localhost", local: loop, origin: []string{"http://app.example"}},
		{name: "foreign origin", host: "localhost", local: loop, origin: []string{"https://evil.example"}},
		{name: "null origin", host: "localhost", local: loop, origin: []string{"null"}},
		{name: "empty origin", host: "localhost", local: loop, origin: []string{""}},
		{name: "two origins", host: "localhost", local: loop, origin: []string{"https://app.example", "https://app.example"}},
		{name: "clear origin to TLS", host: "localhost", local: loop, origin: []string{"http://localhost"}, tls: true},
		{name: "own origin to TLS", host: "localhost", local: loop, origin: []string{"https://localhost"}, tls: true, want: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.WithValue(t.Context(), http.LocalAddrContextKey, tc.local)
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
			r.Host = tc.host
			if tc.origin != nil {
				r.Header["Origin"] = tc.origin
			}
			if tc.tls {
				r.TLS = &tls.ConnectionState{}
			}
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			// An admitted request fails later, for it does not ask for an upgrade.
			if got := w.Code != http.StatusForbidden; got != tc.want {
				t.Errorf("admitted = %v, want %v (%s)", got, tc.want, strings.TrimSpace(w.Body.String()))
			}
		})
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

// guards J2: a peer that takes nothing costs one write timeout.
func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	quit := make(chan struct{})
	url := start(t, nil, nil, func(context.Context, transport.Conn) { <-quit })
	t.Cleanup(func() { close(quit) })
	c := dial(t, &ws.Dialer{URL: url, WriteTimeout: 20 * time.Millisecond})
	for frame := make([]byte, 500_000); ; {
		err := c.Write(frame)
		if err == nil {
			err = c.Flush()
		}
		if err != nil {
			if !strings.Contains(err.Error(), "took nothing for 20ms") {
				t.Errorf("Write = %v, want a timeout", err)
			}
			return
		}
	}
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
