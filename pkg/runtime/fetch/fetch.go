// Package fetch gives agents an HTTP client that asks the gate (§9.2, net.fetch).
package fetch

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// Options shapes a Fetcher. The zero value, or nil, is good.
type Options struct {
	// Networks may be reached by the name of a host though their addresses are not of the public Internet, such as 10.0.0.0/8.
	Networks []netip.Prefix
}

// Fetcher fetches for jobs, and shares connections between them. It may be used from any goroutine.
type Fetcher struct {
	networks  []netip.Prefix
	transport *http.Transport
}

// New returns a fetcher. The options are copied. It uses no proxy.
func New(o *Options) *Fetcher {
	f := &Fetcher{}
	if o != nil {
		f.networks = slices.Clone(o.Networks)
	}
	f.transport = &http.Transport{
		DialContext: f.dial, ForceAttemptHTTP2: true, MaxIdleConns: 100, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
	}
	return f
}

// Close closes the connections that nobody uses.
func (f *Fetcher) Close() { f.transport.CloseIdleConnections() }

// Client returns a client for what the job may fetch. Each request is asked for at the gate, those of redirects too, and the address that is
// dialled is checked, whatever a name stands for at that moment: only those of the public Internet are reached, those of the networks allowed, and
// those that the lease itself names, as numbers or as localhost. It sends the span of the request's context, or else the job's trace, as
// traceparent (§11). A redirect to another origin goes without the headers that may hold secrets. An error wraps that of Task.Authorize; a refusal at dialling stands in the job's log as well. A response that is being
// read is not cut when the lease ends.
func (f *Fetcher) Client(t *runtime.Task) *http.Client {
	return &http.Client{Transport: &tripper{f, t}, CheckRedirect: redirected}
}

type tripper struct {
	fetcher *Fetcher
	task    *runtime.Task
}

// RoundTrip does one request.
func (p *tripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := p.check(r); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	out := r.Clone(r.Context())
	parent := runtime.Traceparent(r.Context())
	if parent == "" {
		parent = newSpan(p.task.TraceID())
	}
	out.Header.Set(arcp.TraceparentKey, parent)
	res, err := p.fetcher.transport.RoundTrip(out)
	if errors.Is(err, errPrivate) {
		return nil, p.deny(r, "the address of the host is not a public one")
	}
	return res, err
}

// check asks the gate. What it was asked about is what is fetched: no other host in a header, nothing opaque, and no host of this machine that
// a wildcard stands for.
func (p *tripper) check(r *http.Request) error {
	if err := p.task.Authorize(r.Context(), arcp.NamespaceNetFetch, r.URL.String()); err != nil {
		return err
	}
	switch {
	case r.URL.Opaque != "", r.Host != "" && r.Host != r.URL.Host:
		return p.deny(r, "the request names another host")
	case isLocalhost(r.URL.Hostname()) && !namedHosts(p.task.Lease()).Covers(arcp.NamespaceNetFetch, r.URL.String()):
		return p.deny(r, "the lease does not name this host")
	}
	return nil
}

// deny records a refusal as the gate does.
func (p *tripper) deny(r *http.Request, why string) error {
	refusal := arcp.NewError(arcp.CodePermissionDenied, "the lease does not allow %s on %.1000q: %s", arcp.NamespaceNetFetch, r.URL.String(), why)
	id := arcp.NewID(arcp.PrefixCall)
	args, err := dynjson.Marshal(map[string]string{"target": r.URL.String()})
	if err == nil {
		err = p.task.Emit(r.Context(), &arcp.ToolCallBody{Tool: arcp.NamespaceNetFetch, Args: args, CallID: id})
	}
	if err == nil {
		err = p.task.Emit(r.Context(), &arcp.ToolResultBody{CallID: id, Error: &arcp.ToolError{Code: refusal.Code, Message: refusal.Message}})
	}
	if err != nil {
		return errors.Join(refusal, err) // which could not be recorded
	}
	return refusal
}

// namedHosts is the part of a lease that names its hosts without a wildcard. An address is never meant by one.
func namedHosts(l arcp.Lease) arcp.Lease {
	var named []string
	for _, pattern := range l[arcp.NamespaceNetFetch] {
		_, rest, _ := strings.Cut(pattern, "://")
		if host, _, _ := strings.Cut(rest, "/"); !strings.ContainsRune(host, '*') {
			named = append(named, pattern)
		}
	}
	return arcp.Lease{arcp.NamespaceNetFetch: named}
}

func newSpan(trace string) string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return arcp.Traceparent(trace, hex.EncodeToString(b[:]))
}
