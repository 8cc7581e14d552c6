package ws

import (
	"net"
	"net/netip"
	"sync"
)

// census counts open connections, all of them and those of each remote host.
type census struct {
	most, mostPerHost int

	mu     sync.Mutex
	total  int
	byHost map[netip.Addr]int
	closed bool
	empty  chan struct{} // closed once nobody may enter and everybody has left
}

func newCensus(most, mostPerHost int) *census {
	if most <= 0 {
		most = 16384
	}
	if mostPerHost <= 0 {
		mostPerHost = 1024
	}
	return &census{most: most, mostPerHost: mostPerHost, byHost: map[netip.Addr]int{}, empty: make(chan struct{})}
}

// enter counts a connection in, unless there is no room. The zero host has no bound of its own.
func (c *census) enter(host netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.total >= c.most || host.IsValid() && c.byHost[host] >= c.mostPerHost {
		return false
	}
	c.total++
	if host.IsValid() {
		c.byHost[host]++
	}
	return true
}

func (c *census) leave(host netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if host.IsValid() {
		if c.byHost[host]--; c.byHost[host] == 0 {
			delete(c.byHost, host)
		}
	}
	if c.closed && c.total == 0 {
		close(c.empty)
	}
}

// shut lets nobody in any more and gives a channel that is closed when all have left.
func (c *census) shut() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed && c.total == 0 {
		close(c.empty)
	}
	c.closed = true
	return c.empty
}

// hostKey gives what is counted as one host: an IPv4 address, or the network an IPv6 host may choose addresses from.
// Loopback, and what is no IP address, is nobody's.
func hostKey(remoteAddr string) netip.Addr {
	host, _, err := net.SplitHostPort(remoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	ip, err := netip.ParseAddr(host)
	ip = ip.Unmap().WithZone("")
	switch {
	case err != nil || ip.IsLoopback():
		return netip.Addr{}
	case ip.Is6():
		net64, err := ip.Prefix(64)
		if err != nil {
			return netip.Addr{}
		}
		return net64.Addr()
	}
	return ip
}
