package fetch

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxRedirects is how many are followed, as many as net/http follows.
const maxRedirects = 10

// plainHeaders are those that go along to another origin.
var plainHeaders = [...]string{"Accept", "Accept-Language", "Content-Language", "Content-Type", "Range", "User-Agent"}

// redirected takes off a request what was meant for the origin that redirects it. Authorization would go along to other ports, to a plain http and to
// subdomains, and a key in a header of another name to everybody whom the lease covers.
func redirected(r *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return errors.New("fetch: too many redirects")
	}
	if origin(r.URL) == origin(via[0].URL) {
		return nil
	}
	for name := range r.Header {
		if !slices.Contains(plainHeaders[:], name) {
			delete(r.Header, name)
		}
	}
	return nil
}

// origin is the scheme, the host and the port of a URL.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}
