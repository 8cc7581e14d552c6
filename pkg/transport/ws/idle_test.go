package ws_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/transport"
)

const (
	idleConns = 500
	// maxIdle is the most heap and stack one idle connection may cost, both ends' sockets included.
	maxIdle = 16 << 10
)

const upgrade = "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

// An idle connection keeps neither the HTTP server's buffers nor any of ours. Not parallel: it weighs the whole heap.
func TestIdleConnectionIsSmall(t *testing.T) {
	url := start(t, nil, nil, func(_ context.Context, c transport.Conn) { _, _ = c.Read(nil) })
	addr := strings.TrimSuffix(strings.TrimPrefix(url, "ws://"), "/x")
	connect := func() net.Conn {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, upgrade); err != nil {
			t.Fatal(err)
		}
		for buf, got := make([]byte, 512), ""; !strings.HasSuffix(got, "\r\n\r\n"); {
			n, err := c.Read(buf)
			if err != nil {
				t.Fatalf("upgrade: %v after %q", err, got)
			}
			got += string(buf[:n])
		}
		return c
	}
	conns := []net.Conn{connect()}
	before := weigh()
	for range idleConns {
		conns = append(conns, connect())
	}
	each := (weigh() - before) / idleConns
	t.Logf("%d bytes for an idle connection", each)
	if each > maxIdle {
		t.Errorf("an idle connection weighs %d bytes, want at most %d", each, maxIdle)
	}
	for _, c := range conns {
		_ = c.Close()
	}
}

// weigh gives the bytes of heap and stack in use after a collection.
func weigh() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
