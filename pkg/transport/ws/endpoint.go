package ws

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/arcpkit/arcp/pkg/transport"
)

// idleReadBuffer is the read buffer of a server connection, in bytes: requests are small, and what is larger is read
// ahead or directly.
const idleReadBuffer = 1 << 10

// Options shapes an Endpoint. The zero value, or nil, takes connections on loopback names without a subprotocol.
type Options struct {
	// Subprotocol is echoed to a client that offers it and never sent unasked.
	Subprotocol string
	// Hosts lists the host names, without port, that a Host header may carry besides the address the connection came in
	// on and, when that is loopback, the loopback names. Any other is refused: a page that rebinds its own name to this
	// server must not reach it.
	Hosts []string
	// Origins lists the origins ("https://app.example") from which a browser may connect, besides the server's own.
	Origins []string
	// MaxFrame is the largest inbound frame, in bytes; 0 means transport.DefaultMaxFrame. A larger one is skipped and
	// reported as a *transport.FrameError; one above four times the limit ends the connection.
	MaxFrame int
	// WriteTimeout bounds one flush; 0 means DefaultWriteTimeout.
	WriteTimeout time.Duration
	// FrameTimeout bounds the arrival of one frame; 0 means DefaultFrameTimeout.
	FrameTimeout time.Duration
	// MaxConns bounds the connections open at a time; 0 means 16384. One too many is answered with status 503.
	MaxConns int
	// MaxConnsPerHost bounds those from one address, or one /64 network of IPv6; 0 means 1024. Loopback, where proxies
	// and the operator's own tools are, is not counted.
	MaxConnsPerHost int
}

// Endpoint is the http.Handler that upgrades requests to connections. It may be mounted at several paths.
type Endpoint struct {
	o     Options
	serve func(context.Context, transport.Conn)

	ctx    context.Context // ends with Shutdown; every serve gets a child of it
	cancel context.CancelFunc

	open *census
}

// Handler returns an endpoint that calls serve, on a goroutine of its own, with each connection. The connection is
// closed when serve returns. The context ends when Shutdown is called; it carries nothing of the request.
func Handler(o *Options, serve func(ctx context.Context, c transport.Conn)) *Endpoint {
	e := &Endpoint{serve: serve}
	if o != nil {
		e.o = *o
	}
	e.o.WriteTimeout = or(e.o.WriteTimeout, DefaultWriteTimeout)
	e.o.FrameTimeout = or(e.o.FrameTimeout, DefaultFrameTimeout)
	e.open = newCensus(e.o.MaxConns, e.o.MaxConnsPerHost)
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

// ServeHTTP checks Host and Origin and upgrades the request. It returns when the connection is up.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := e.admit(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	host := hostKey(r.RemoteAddr)
	if !e.open.enter(host) {
		http.Error(w, "no more connections are taken", http.StatusServiceUnavailable)
		return
	}
	c, err := e.upgrade(w, r)
	if err != nil {
		e.open.leave(host) // the response has been written
		return
	}
	go func() {
		defer e.open.leave(host)
		defer func() { _ = c.Close("done") }()
		e.serve(e.ctx, c)
	}()
}

func (e *Endpoint) upgrade(w http.ResponseWriter, r *http.Request) (transport.Conn, error) {
	h := &hijacker{ResponseWriter: w, o: &e.o}
	ao := &websocket.AcceptOptions{InsecureSkipVerify: true} // admit has judged the origin
	if e.o.Subprotocol != "" {
		ao.Subprotocols = []string{e.o.Subprotocol}
	}
	c, err := websocket.Accept(h, r, ao)
	if err != nil {
		return nil, err
	}
	remote := loopbackAddr(h.g.RemoteAddr())
	peer := transport.Peer{Secure: r.TLS != nil || remote, Loopback: remote, Addr: r.RemoteAddr}
	return newConn(c, h.g, e.o.MaxFrame, peer), nil
}

// Shutdown takes no more connections, ends the context of every serve and waits for all to return. An HTTP server's own
// Shutdown knows nothing of connections that were upgraded. The error is the context's.
func (e *Endpoint) Shutdown(ctx context.Context) error {
	e.cancel()
	select {
	case <-e.open.shut():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("ws: connections still open at shutdown: %w", ctx.Err())
	}
}

// hijacker hands the WebSocket library a gathering connection and small buffers. The HTTP server's own buffers and its
// request are free when the handler returns.
type hijacker struct {
	http.ResponseWriter
	o *Options
	g *gather
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.g = &gather{Conn: nc, timeout: h.o.WriteTimeout, frameTime: h.o.FrameTimeout}
	if n := rw.Reader.Buffered(); n > 0 {
		b, _ := rw.Reader.Peek(n)
		h.g.head = append(h.g.head, b...)
	}
	// The writer needs room for a frame header only: what follows goes straight into the gathered batch.
	return h.g, bufio.NewReadWriter(bufio.NewReaderSize(h.g, idleReadBuffer), bufio.NewWriterSize(h.g, 16)), nil
}
