package ws_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

const benchBatch = 64

// rawPerMessage sends n frames the plain way and returns how long the client took to read them.
func rawPerMessage(b *testing.B, n int, frame []byte) time.Duration {
	b.Helper()
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
	c, _, err := websocket.Dial(b.Context(), s.URL, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(-1)
	buf := make([]byte, len(frame)+512)
	begin := time.Now()
	for range n {
		_, r, err := c.Reader(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = r.Read(buf)
		}
	}
	return time.Since(begin)
}

// batched sends n frames through the transport, 64 a flush, over TLS when the server has a configuration.
func batched(b *testing.B, n int, frame []byte, server, client *tls.Config) time.Duration {
	b.Helper()
	e := ws.Handler(nil, func(_ context.Context, c transport.Conn) {
		for i := range n {
			if c.Write(frame) != nil {
				return
			}
			if i%benchBatch == benchBatch-1 && c.Flush() != nil {
				return
			}
		}
		_ = c.Flush()
		_, _ = c.Read(nil)
	})
	ln, err := ws.Listen(b.Context(), "127.0.0.1:0", &ws.ListenOptions{TLS: server})
	if err != nil {
		b.Fatal(err)
	}
	scheme := "ws://"
	if server != nil {
		scheme = "wss://"
	}
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = ws.Serve(ctx, ln, e, nil) })
	defer wg.Wait()
	defer cancel()
	c, err := (&ws.Dialer{URL: scheme + ln.Addr().String(), TLSConfig: client}).Dial(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close("") }()
	buf := make([]byte, 0, len(frame)+512)
	begin := time.Now()
	for range n {
		if buf, err = c.Read(buf[:0]); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begin)
}

// BenchmarkBatched compares in one run: x is how many times the batched transport is faster than plain frames, TLS-x
// what is left of its rate over TLS.
func BenchmarkBatched(b *testing.B) {
	server, client := testTLS(b)
	for _, size := range []struct {
		name  string
		bytes int
	}{{"377B", 377}, {"1KiB", 1 << 10}, {"64KiB", 64 << 10}} {
		b.Run(size.name, func(b *testing.B) {
			frame := bytes.Repeat([]byte("x"), size.bytes)
			b.ReportAllocs()
			var raw, ours, secure time.Duration
			for b.Loop() {
				const n = 4096
				raw += rawPerMessage(b, n, frame)
				ours += batched(b, n, frame, nil, nil)
				secure += batched(b, n, frame, server, client)
			}
			frames := float64(b.N) * 4096
			b.ReportMetric(float64(raw)/frames, "raw-ns/frame")
			b.ReportMetric(float64(ours)/frames, "ns/frame")
			b.ReportMetric(float64(secure)/frames, "TLS-ns/frame")
			b.ReportMetric(float64(raw)/float64(ours), "x")
			b.ReportMetric(float64(ours)/float64(secure), "TLS-x")
		})
	}
}
