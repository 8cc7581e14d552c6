package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// Where operators look.
const (
	healthPath  = "/healthz"
	readyPath   = "/readyz"
	metricsPath = "/metrics"
)

// phase is what a service is at.
type phase string

const (
	starting phase = "starting"
	ready    phase = "ready"
	draining phase = "draining"
	failed   phase = "failed"
)

// ops answers operators and their tools.
type ops struct {
	at atomic.Value // phase
	rt atomic.Pointer[arcprt.Runtime]
}

func newOps() *ops {
	o := &ops{}
	o.at.Store(starting)
	return o
}

func (o *ops) is(p phase) { o.at.Store(p) }

// handle adds the pages to a server's. Metrics are for whom permit lets in.
func (o *ops) handle(mux *http.ServeMux, permit func(*http.Request) bool) {
	mux.HandleFunc("GET "+healthPath, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET "+readyPath, func(w http.ResponseWriter, _ *http.Request) {
		at := o.at.Load().(phase)
		if at != ready {
			answer(w, http.StatusServiceUnavailable, string(at))
			return
		}
		answer(w, http.StatusOK, string(at))
	})
	mux.HandleFunc("GET "+metricsPath, func(w http.ResponseWriter, r *http.Request) {
		rt := o.rt.Load()
		switch {
		case !permit(r):
			answer(w, http.StatusForbidden, "metrics are for this machine only; see --ops")
		case rt == nil:
			answer(w, http.StatusServiceUnavailable, string(starting))
		default:
			w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
			_ = rt.WriteMetrics(w) // the reader has gone
		}
	})
}

func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n") // the reader has gone
}

// fromHere lets in who connects from this machine by its address or the name localhost: a page that rebinds a name of its own is
// refused.
func fromHere(r *http.Request) bool {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !remote.Addr().Unmap().IsLoopback() {
		return false
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	_, err = netip.ParseAddr(host)
	return host == "localhost" || err == nil
}

func fromAnywhere(*http.Request) bool { return true }

// listen serves the pages at an address of their own until stop is called.
func (o *ops) listen(ctx context.Context, address string, log *slog.Logger) (stop func(), err error) {
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	o.handle(mux, fromAnywhere)
	s := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 30 * time.Second,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	log.Info(fmt.Sprintf("health and metrics at http://%s", ln.Addr()))
	go func() { _ = s.Serve(ln) }()
	return func() { _ = s.Close() }, nil
}
