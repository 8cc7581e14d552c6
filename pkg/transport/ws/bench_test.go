package ws_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
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

// batched sends n frames through the transport, 64 a flush.
func batched(b *testing.B, n int, frame []byte) time.Duration {
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
	s := httptest.NewServer(e)
	defer s.Close()
	c, err := (&ws.Dialer{URL: "ws" + strings.TrimPrefix(s.URL, "http")}).Dial(b.Context())
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

// BenchmarkBatched compares the two in one run: x is how many times the batched transport is faster.
func BenchmarkBatched(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"377B", 377}, {"1KiB", 1 << 10}, {"64KiB", 64 << 10}} {
		b.Run(size.name, func(b *testing.B) {
			frame := bytes.Repeat([]byte("x"), size.bytes)
			b.ReportAllocs()
			var raw, ours time.Duration
			for b.Loop() {
				const n = 4096
				raw += rawPerMessage(b, n, frame)
				ours += batched(b, n, frame)
			}
			frames := float64(b.N) * 4096
			b.ReportMetric(float64(raw)/frames, "raw-ns/frame")
			b.ReportMetric(float64(ours)/frames, "ns/frame")
			b.ReportMetric(float64(raw)/float64(ours), "x")
		})
	}
}
