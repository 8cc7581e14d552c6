package ws

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/arcpkit/arcp/pkg/transport"
)

// ErrInsecure is returned for a connection in clear to another machine when nobody asked for it.
var ErrInsecure = errors.New("refusing to speak in clear to another machine: use TLS, or choose insecure")

// Dialer is a transport.Dialer to one URL. It follows no redirect.
type Dialer struct {
	// URL is where to connect: ws:// or wss://. Over ws:// only addresses of this machine are dialled, unless Insecure.
	URL string
	// Subprotocol is offered to the server, which need not take it; empty offers none.
	Subprotocol string
	// TLSConfig is for wss://; nil means the system's roots. It is copied.
	TLSConfig *tls.Config
	// HTTPHeader goes with the upgrade request.
	HTTPHeader http.Header
	// Insecure allows ws:// to other machines: everybody on the way reads the token and all that follows.
	Insecure bool
	// MaxFrame is the largest inbound frame, in bytes; 0 means transport.DefaultMaxFrame. See Options.MaxFrame.
	MaxFrame int
	// WriteTimeout bounds one flush; 0 means DefaultWriteTimeout.
	WriteTimeout time.Duration
	// FrameTimeout bounds the arrival of one frame; 0 means DefaultFrameTimeout.
	FrameTimeout time.Duration
}

// Dial connects and upgrades; ctx bounds that and not the connection. A connection in clear that is not allowed gives
// an error that wraps ErrInsecure.
func (d *Dialer) Dial(ctx context.Context) (transport.Conn, error) {
	u, err := url.Parse(d.URL)
	if err != nil {
		return nil, fmt.Errorf("ws: %w", err)
	}
	secure := u.Scheme == "wss"
	if !secure && u.Scheme != "ws" {
		return nil, fmt.Errorf("ws: URL %q: scheme must be ws or wss", u.Redacted())
	}
	if !secure && !d.Insecure && !loopbackName(u.Hostname()) {
		return nil, fmt.Errorf("ws: %s: %w", u.Host, ErrInsecure)
	}
	h := &handshake{
		timeout: or(d.WriteTimeout, DefaultWriteTimeout), frameTime: or(d.FrameTimeout, DefaultFrameTimeout),
		tls: d.TLSConfig, host: u.Hostname(), loopbackOnly: !secure && !d.Insecure,
	}
	ws, resp, err := websocket.Dial(ctx, d.URL, d.options(h))
	if err != nil {
		return nil, dialError(u, resp, err)
	}
	g := h.conn.Load()
	// Both, for a proxy on this machine may lead to another.
	local := loopbackName(u.Hostname()) && loopbackAddr(g.RemoteAddr())
	peer := transport.Peer{Secure: secure || local, Loopback: local, Addr: u.Host}
	return newConn(ws, g, d.MaxFrame, peer), nil
}

func (d *Dialer) options(h *handshake) *websocket.DialOptions {
	o := &websocket.DialOptions{
		HTTPHeader: d.HTTPHeader,
		HTTPClient: &http.Client{
			Transport: &http.Transport{
				Proxy:             http.ProxyFromEnvironment,
				DialContext:       h.dial,
				DialTLSContext:    h.dialTLS,
				TLSClientConfig:   h.config(),
				DisableKeepAlives: true,
			},
			// A redirect could lead the token to a place nobody named.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if d.Subprotocol != "" {
		o.Subprotocols = []string{d.Subprotocol}
	}
	return o
}

// dialError says what the server answered, which the library leaves to the caller. The page of a site says nothing of use here.
func dialError(u *url.URL, resp *http.Response, err error) error {
	if resp == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return fmt.Errorf("ws: connect to %s: %w", u.Host, err)
	}
	text := resp.Status
	if resp.Body != nil && resp.StatusCode != http.StatusNotFound && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 256))
		if s := strings.TrimSpace(strings.ToValidUTF8(string(b), "")); s != "" {
			text = fmt.Sprintf("%s: %q", text, s)
		}
	}
	return fmt.Errorf("ws: %s did not upgrade: %s", u.Host, text)
}

// handshake makes the gathering connection under the HTTP client and remembers it.
type handshake struct {
	timeout      time.Duration
	frameTime    time.Duration
	tls          *tls.Config
	host         string
	loopbackOnly bool
	conn         atomic.Pointer[gather]
}

func (h *handshake) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	// The name was fine; what it resolved to is what counts.
	if h.loopbackOnly && !loopbackAddr(c.RemoteAddr()) {
		return nil, errors.Join(ErrInsecure, c.Close())
	}
	return h.keep(c), nil
}

func (h *handshake) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	t := tls.Client(c, h.config())
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return h.keep(t), nil
}

func (h *handshake) keep(c net.Conn) net.Conn {
	g := &gather{Conn: c, timeout: h.timeout, frameTime: h.frameTime}
	h.conn.Store(g)
	return g
}

func (h *handshake) config() *tls.Config {
	return tlsConfig(h.tls, h.host)
}

// tlsConfig copies c and adapts it to long-lived batched connections over HTTP/1.1.
func tlsConfig(c *tls.Config, host string) *tls.Config {
	if c == nil {
		c = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c = c.Clone()
	if c.ServerName == "" {
		c.ServerName = host
	}
	c.NextProtos = []string{"http/1.1"}
	c.DynamicRecordSizingDisabled = true
	return c
}
