package ws

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
)

// endless is a connection that fills every read and counts them.
type endless struct {
	net.Conn
	left, reads int
}

func (e *endless) Read(p []byte) (int, error) {
	e.reads++
	n := min(len(p), e.left)
	for i := range n {
		p[i] = byte(e.left - i)
	}
	e.left -= n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// A stream is read ahead in large pieces, unchanged, and the large buffer is given back when it ends.
func TestReadAhead(t *testing.T) {
	t.Parallel()
	const total = 1 << 20
	e := &endless{left: total}
	g := &gather{Conn: e}
	g.on.Store(true)
	var got bytes.Buffer
	for p := make([]byte, idleReadBuffer); ; {
		n, err := g.Read(p)
		got.Write(p[:n])
		if errors.Is(err, io.EOF) {
			break
		}
	}
	plain, _ := io.ReadAll(&endless{left: total})
	if got.Len() != total || plain[0] != got.Bytes()[0] {
		t.Fatalf("read %d bytes of %d", got.Len(), total)
	}
	for i, b := range got.Bytes() {
		if b != byte(total-i) {
			t.Fatalf("byte %d is changed", i)
		}
	}
	if most := 3 * total / readAhead; e.reads > most {
		t.Errorf("%d reads for %d bytes, want at most %d", e.reads, total, most)
	}
	if g.big != nil {
		t.Error("the large buffer is kept at rest")
	}
}

// A loopback name that resolves elsewhere does not get a connection in clear.
func TestDialChecksTheAddress(t *testing.T) {
	t.Parallel()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Skip(err)
	}
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.To4() == nil || n.IP.IsLoopback() {
			continue
		}
		ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(n.IP.String(), "0"))
		if err != nil {
			continue
		}
		defer func() { _ = ln.Close() }()
		h := &handshake{loopbackOnly: true}
		if _, err := h.dial(t.Context(), "tcp", ln.Addr().String()); !errors.Is(err, ErrInsecure) {
			t.Errorf("dial(%s) = %v, want ErrInsecure", ln.Addr(), err)
		}
		return
	}
	t.Skip("this machine has loopback only")
}
