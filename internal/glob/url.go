package glob

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// location is a URL taken apart, or a pattern of one.
type location struct {
	scheme string
	host   string // lower case, without a trailing dot
	ip     bool   // host is an address; no wildcard matches it
	port   string
	path   string // decoded, with the leading '/'
}

// parseURL reads a target. Its query is dropped.
func parseURL(s string) (*location, error) {
	u, err := splitURL(s)
	if err != nil {
		return nil, err
	}
	if strings.ContainsRune(u.host, '*') {
		return nil, errors.New("holds a wildcard in the host")
	}
	return u, nil
}

// parseURLPattern reads a pattern: wildcards may stand for host labels and in the path.
func parseURLPattern(s string) (*location, error) {
	u, err := splitURL(s)
	if err != nil {
		return nil, err
	}
	if strings.Count(s, "*") != strings.Count(u.host, "*")+strings.Count(u.path, "*") {
		return nil, errors.New("holds a wildcard outside host labels and path")
	}
	for i, label := range strings.Split(u.host, ".") {
		if strings.ContainsRune(label, '*') && label != "*" && (label != "**" || i > 0) {
			return nil, errors.New(`"*" must be a whole host label, and "**" the first one`)
		}
	}
	return u, checkStars(u.path)
}

func splitURL(s string) (*location, error) {
	if strings.ContainsAny(s, `\#`) || strings.ContainsRune(s, ' ') {
		return nil, errors.New("holds a backslash, a fragment or a space")
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("is not a URL")
	}
	if u.Scheme == "" || u.Opaque != "" || u.Host == "" {
		return nil, errors.New("is not an absolute URL with a host")
	}
	if u.User != nil {
		return nil, errors.New("holds userinfo")
	}
	loc := &location{scheme: u.Scheme, path: u.Path}
	if loc.path == "" {
		loc.path = "/"
	}
	if err := loc.setHost(u.Hostname()); err != nil {
		return nil, err
	}
	if err := loc.setPort(u.Port(), u.Host); err != nil {
		return nil, err
	}
	if err := checkText(loc.path, MaxTarget); err != nil {
		return nil, err
	}
	if err := checkEscapes(u.EscapedPath()); err != nil {
		return nil, err
	}
	if err := checkNormal(loc.path); err != nil {
		return nil, err
	}
	return loc, checkSegments(loc.path, true)
}

// setHost refuses what a resolver may read in another way than the matcher: hosts that are not ASCII, and numbers that are
// not a canonical address.
func (l *location) setHost(host string) error {
	l.host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(l.host); err == nil {
		l.ip = true
		if addr.Zone() != "" || addr.String() != l.host {
			return errors.New("holds an address that is not canonical")
		}
		return nil
	}
	labels := strings.Split(l.host, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 {
			return errors.New("holds an empty or too long host label")
		}
		for i := range len(label) {
			c := label[i]
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '*') {
				return errors.New("holds a host that is not plain ASCII")
			}
		}
	}
	if last := labels[len(labels)-1]; last[0] >= '0' && last[0] <= '9' {
		return errors.New("holds a host that ends in a number and is no address")
	}
	return nil
}

func (l *location) setPort(port, host string) error {
	if port == "" {
		if strings.HasSuffix(host, ":") {
			return errors.New("holds an empty port")
		}
		l.port = defaultPort(l.scheme)
		return nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return errors.New("holds a port that is not canonical")
	}
	l.port = port
	return nil
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	default:
		return ""
	}
}

// covers says whether the pattern l matches the target t.
func (l *location) covers(t *location) bool {
	return l.scheme == t.scheme && l.port == t.port && l.coversHost(t) && matchSegments(l.path, t.path)
}

func (l *location) coversHost(t *location) bool {
	if l.ip || t.ip {
		return l.host == t.host
	}
	pattern, labels := strings.Split(l.host, "."), strings.Split(t.host, ".")
	if pattern[0] == "**" {
		if len(labels) < len(pattern) {
			return false
		}
		labels = labels[len(labels)-len(pattern)+1:]
		pattern = pattern[1:]
	}
	if len(pattern) != len(labels) {
		return false
	}
	for i, p := range pattern {
		if p != "*" && p != labels[i] {
			return false
		}
	}
	return true
}
