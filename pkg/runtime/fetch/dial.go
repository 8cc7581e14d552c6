package fetch

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

// errPrivate says that a name stands for an address that is not one of the public Internet.
var errPrivate = errors.New("fetch: not a public address")

// dial connects to the host of a URL that the gate has let through. The check is made of each address that is about to be connected to, so
// that no second look-up can give another one.
func (f *Fetcher) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return f.connect(ctx, network, addr, host)
}

// connect dials an address, or each that a name stands for, that is to be one of the host's.
func (f *Fetcher) connect(ctx context.Context, network, addr, host string) (net.Conn, error) {
	d := net.Dialer{Timeout: 30 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		if to, err := netip.ParseAddrPort(address); err != nil || !f.permits(host, to.Addr()) {
			return errPrivate
		}
		return nil
	}}
	return d.DialContext(ctx, network, addr)
}

// permits says whether an address may be connected to for a host: a public one, one of the networks allowed, or what the host is itself, which the
// lease then names.
func (f *Fetcher) permits(host string, to netip.Addr) bool {
	to = to.Unmap().WithZone("")
	literal, err := netip.ParseAddr(host)
	switch {
	case public(to), slices.ContainsFunc(f.networks, func(p netip.Prefix) bool { return p.Contains(to) }):
		return true
	case err == nil:
		return literal.Unmap().WithZone("") == to
	}
	return isLocalhost(host) && to.IsLoopback()
}

func isLocalhost(host string) bool {
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}

// special are ranges that are no hosts of the public Internet, besides those that netip knows (RFC 6890); the last ones hold an
// IPv4 address that a gateway would connect to.
var special = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

func public(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(special[:], func(p netip.Prefix) bool { return p.Contains(a) })
}
