package ws

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"
)

// ListenOptions shapes Listen.
type ListenOptions struct {
	// TLS makes the listener speak TLS; it is copied.
	TLS *tls.Config
	// Insecure allows an address that other machines reach to be served in clear.
	Insecure bool
}

// Listen opens a TCP listener at addr ("host:port"). Without TLS it refuses an address that is not loopback with an
// error that wraps ErrInsecure, unless o says Insecure; "" and a bare ":port" mean every address. ctx bounds the look-up.
func Listen(ctx context.Context, addr string, o *ListenOptions) (net.Listener, error) {
	if o == nil {
		o = &ListenOptions{}
	}
	if o.TLS == nil && !o.Insecure {
		if host, _, err := net.SplitHostPort(addr); err == nil && !loopbackName(hostName(host)) {
			return nil, fmt.Errorf("ws: listen on %s: %w", addr, ErrInsecure)
		}
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("ws: %w", err)
	}
	if o.TLS != nil {
		return tls.NewListener(ln, tlsConfig(o.TLS, "")), nil
	}
	if !o.Insecure && !loopbackAddr(ln.Addr()) {
		return nil, errors.Join(fmt.Errorf("ws: listen on %s: %w", addr, ErrInsecure), ln.Close())
	}
	return ln, nil
}

// Serve answers HTTP on ln with h until ctx ends, then stops listening and returns nil. Upgraded connections live on:
// they are Endpoint.Shutdown's. errorLog gets what the HTTP server has to say about single connections; nil discards it.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, errorLog *log.Logger) error {
	if errorLog == nil {
		errorLog = log.New(discard{}, "", 0)
	}
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          errorLog,
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		_ = s.Close()
	})
	err := s.Serve(ln)
	if !stop() {
		<-stopped
		return nil
	}
	return fmt.Errorf("ws: serve: %w", err)
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
