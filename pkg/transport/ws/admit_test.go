package ws_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// guards I9 and T4
func TestHostAndOrigin(t *testing.T) {
	t.Parallel()
	o := &ws.Options{Hosts: []string{"arcp.example"}, Origins: []string{"https://app.example"}}
	e := ws.Handler(o, echo)
	loop := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7878}
	lan := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 7878}
	for _, tc := range []struct {
		name, host string
		local      net.Addr
		origin     []string
		tls, want  bool
	}{
		{name: "loopback name", host: "localhost:7878", local: loop, want: true},
		{name: "loopback name in capitals with a dot", host: "LOCALHOST.:7878", local: loop, want: true},
		{name: "loopback address", host: "127.0.0.1:7878", local: loop, want: true},
		{name: "loopback IPv6", host: "[::1]:7878", local: loop, want: true},
		{name: "rebound name", host: "evil.example:7878", local: loop},
		{name: "name that looks like loopback", host: "127.0.0.1.evil.example", local: loop},
		{name: "listed name", host: "ARCP.example", local: lan, want: true},
		{name: "unlisted name", host: "evil.example", local: lan},
		{name: "loopback name off loopback", host: "localhost", local: lan},
		{name: "own address", host: "192.0.2.7:7878", local: lan, want: true},
		{name: "another address", host: "192.0.2.8:7878", local: lan},
		{name: "no host", host: "", local: loop},
		{name: "own origin", host: "localhost:7878", local: loop, origin: []string{"http://localhost:7878"}, want: true},
		{name: "own name, other port", host: "localhost:7878", local: loop, origin: []string{"http://localhost:80"}},
		{name: "listed origin", host: "localhost", local: loop, origin: []string{"https://app.example"}, want: true},
		{name: "listed origin in clear", host: "localhost", local: loop, origin: []string{"http://app.example"}},
		{name: "foreign origin", host: "localhost", local: loop, origin: []string{"https://evil.example"}},
		{name: "null origin", host: "localhost", local: loop, origin: []string{"null"}},
		{name: "empty origin", host: "localhost", local: loop, origin: []string{""}},
		{name: "two origins", host: "localhost", local: loop, origin: []string{"https://app.example", "https://app.example"}},
		{name: "clear origin to TLS", host: "localhost", local: loop, origin: []string{"http://localhost"}, tls: true},
		{name: "own origin to TLS", host: "localhost", local: loop, origin: []string{"https://localhost"}, tls: true, want: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.WithValue(t.Context(), http.LocalAddrContextKey, tc.local)
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
			r.Host = tc.host
			if tc.origin != nil {
				r.Header["Origin"] = tc.origin
			}
			if tc.tls {
				r.TLS = &tls.ConnectionState{}
			}
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			// An admitted request fails later, for it does not ask for an upgrade.
			if got := w.Code != http.StatusForbidden; got != tc.want {
				t.Errorf("admitted = %v, want %v (%s)", got, tc.want, strings.TrimSpace(w.Body.String()))
			}
		})
	}
}
