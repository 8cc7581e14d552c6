//go:build unix

package main

import (
	"io"
	"math"
	"net"
	"net/url"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// proxy is a bad network: everything that goes through it can be cut.
type proxy struct {
	ln   net.Listener
	to   string
	most int64 // bytes that a connection brings back before it is cut

	mu    sync.Mutex
	conns []net.Conn
}

// proxy [BYTES]: puts a proxy in front of the server and sets ARCP_URL to it. No connection brings back more than BYTES.
func proxyCommand(ts *testscript.TestScript, _ bool, args []string) {
	most := int64(math.MaxInt64)
	if len(args) > 0 {
		var err error
		most, err = strconv.ParseInt(args[0], 10, 64)
		ts.Check(err)
	}
	u, err := url.Parse(ts.Getenv("ARCP_URL"))
	ts.Check(err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	p := &proxy{ln: ln, to: u.Host, most: most}
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
		go pass(near, far, p.most)
		go pass(far, near, math.MaxInt64)
	}
}

func pass(to, from net.Conn, most int64) {
	_, _ = io.CopyN(to, from, most)
	_ = to.Close()
	_ = from.Close()
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

// mute: listens at a port where connections are taken and nothing is ever said, and sets ARCP_URL.
func muteCommand(ts *testscript.TestScript, _ bool, _ []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes them
	ts.Check(err)
	ts.Defer(func() { _ = ln.Close() })
	ts.Setenv("ARCP_URL", "ws://"+ln.Addr().String())
}
