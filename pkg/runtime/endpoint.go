package runtime

import (
	"net/url"
	"path"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// CredentialFor returns the credential of the job that may be sent to a URL: the one whose endpoint is there or above, the nearest if there
// are several. For all other URLs it is PERMISSION_DENIED: a value is good for its own endpoint and must be shown to no other.
func (t *Task) CredentialFor(rawURL string) (arcp.Credential, error) {
	if t.job.over.Load() {
		return arcp.Credential{}, ErrJobOver
	}
	refused := arcp.NewError(arcp.CodePermissionDenied, "no credential of this job is for that URL")
	u, err := url.Parse(rawURL)
	if err != nil || u.User != nil || u.Opaque != "" || !plainPath(u) {
		return arcp.Credential{}, refused
	}
	var best arcp.Credential
	nearest := -1
	for _, c := range t.Credentials() {
		if end, err := parseEndpoint(c.Endpoint); err == nil && below(u, end) && len(end.Path) > nearest {
			best, nearest = c, len(end.Path)
		}
	}
	if nearest < 0 {
		return arcp.Credential{}, refused
	}
	return best, nil
}

// plainPath says whether a path means the same to everybody: nothing in it is encoded that need not be, and no segment leads up.
func plainPath(u *url.URL) bool {
	p := u.Path
	if p == "" {
		return true
	}
	clean := path.Clean(p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return u.RawPath == "" && p[0] == '/' && p == clean && !strings.ContainsAny(p, "\\\x00")
}

// below says whether a URL is an endpoint or lies below it.
func below(u, end *url.URL) bool {
	if !strings.EqualFold(u.Scheme, end.Scheme) || !strings.EqualFold(u.Hostname(), end.Hostname()) || portOf(u) != portOf(end) {
		return false
	}
	root := strings.TrimSuffix(end.Path, "/")
	rest, ok := strings.CutPrefix(u.Path, root)
	return ok && (rest == "" || rest[0] == '/')
}

// portOf returns the port of a URL, that of its scheme if it names none.
func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	switch strings.ToLower(u.Scheme) {
	case "https", "wss":
		return "443"
	case "http", "ws":
		return "80"
	}
	return ""
}
