package ws

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// admit decides by Host and Origin whether a request may become a connection.
func (e *Endpoint) admit(r *http.Request) error {
	if err := e.admitHost(r); err != nil {
		return err
	}
	return e.admitOrigin(r)
}

// admitHost guards against DNS rebinding: an attacker's page carries the attacker's own name in Host, whatever address
// that name was made to point at. An address literal that is the connection's own cannot be rebound.
func (e *Endpoint) admitHost(r *http.Request) error {
	host := hostName(r.Host)
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	switch {
	case host == "":
		return fmt.Errorf("request without a usable Host")
	case slices.ContainsFunc(e.o.Hosts, func(h string) bool { return strings.EqualFold(hostName(h), host) }):
		return nil
	case loopbackAddr(local) && loopbackName(host):
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap() == addrOf(local) {
		return nil
	}
	return fmt.Errorf("host %q is not served here", host)
}

// admitOrigin lets a browser in from the server's own origin and from listed ones. A client that is no browser sends no
// Origin.
func (e *Endpoint) admitOrigin(r *http.Request) error {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return nil
	}
	origin := origins[0]
	if len(origins) > 1 {
		return fmt.Errorf("more than one Origin")
	}
	if slices.ContainsFunc(e.o.Origins, func(o string) bool { return strings.EqualFold(o, origin) }) {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return fmt.Errorf("origin %q is not allowed", origin)
	}
	// A page that came in clear may have been written by anybody on the way.
	if strings.EqualFold(u.Host, r.Host) && (r.TLS == nil || u.Scheme == "https") {
		return nil
	}
	return fmt.Errorf("origin %q is not allowed", origin)
}

// hostName strips port, brackets and a trailing dot.
func hostName(hostport string) string {
	h := hostport
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		h = host
	}
	h = strings.TrimSuffix(strings.TrimPrefix(h, "["), "]")
	return strings.TrimSuffix(h, ".")
}

// loopbackName tells whether a host name or address literal means this machine.
func loopbackName(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// addrOf gives the IP of a TCP address, or the zero Addr.
func addrOf(a net.Addr) netip.Addr {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return t.AddrPort().Addr().Unmap()
}

// loopbackAddr tells whether an address is this machine's own; a Unix socket is.
func loopbackAddr(a net.Addr) bool {
	if u, ok := a.(*net.UnixAddr); ok {
		return u != nil
	}
	ip := addrOf(a)
	return ip.IsValid() && ip.IsLoopback()
}
