//go:build unix

package main

import (
	"io"
	"net"
	"net/url"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// proxy is a bad network: everything that goes through it can be cut.
type proxy struct {
	ln net.Listener
	to string

	mu    sync.Mutex
	conns []net.Conn
}

// proxy: puts a proxy in front of the server and sets ARCP_URL to it.
func proxyCommand(ts *testscript.TestScript, _ bool, _ []string) {
	u, err := url.Parse(ts.Getenv("ARCP_URL"))
	ts.Check(err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	p := &proxy{ln: ln, to: u.Host}
	ts.Value(serverKey{}).(*server).proxy = p
	ts.Defer(func() {
		_ = ln.Close()
		p.cut()
	})
	go p.serve()
	u.Host = ln.Addr().String()
	ts.Setenv("ARCP_URL", u.String())
}

func (p *proxy) serve() {
	for {
		near, err := p.ln.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, near, far)
		p.mu.Unlock()
		go pass(near, far)
		go pass(far, near)
	}
}

func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
}

// cut ends all connections there are, without a last word. New ones are let through.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}
