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

// mark begins the segment between the host and the path of a URL. No text that is read holds it, so patterns and targets
// have it once, and a match puts the one on the other: what stands for host labels ends where the host does.
const mark = '\x00'

// segments returns host labels, the mark with scheme and port, and path. Behind the mark an address is told from a host
// name, so that no label wildcard makes one of the other.
func (l *location) segments() string {
	host, kind := strings.ReplaceAll(l.host, ".", "/"), "name"
	if l.ip {
		host, kind = l.host, "ip"
	}
	if rest, ok := strings.CutPrefix(host, deep); ok {
		host = "*/" + deep + rest // "**." is one label or more
	}
	return host + "/" + string(mark) + l.scheme + ":" + l.port + ":" + kind + l.path
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
		if strings.ContainsRune(label, '*') && label != "*" && (label != deep || i > 0) {
			return nil, errors.New(`holds "*" as a part of a host label, or "**" behind the first`)
		}
	}
	return u, nil
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
	return loc, loc.checkSegments()
}

// checkSegments refuses empty and dot segments. The one before the leading '/' is empty, and the one behind a trailing one
// may be.
func (l *location) checkSegments() error {
	all := strings.Split(l.path, "/")[1:]
	for i, seg := range all {
		switch {
		case isDots(seg):
			return errors.New("holds a dot segment")
		case seg == "" && i < len(all)-1:
			return errors.New("holds an empty segment")
		}
	}
	return nil
}

// setHost refuses what a resolver may read in another way than the matcher: hosts that are not ASCII, and numbers that are
// not a canonical address.
func (l *location) setHost(host string) error {
	l.host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(l.host); err == nil {
		l.ip = true
		if addr.Zone() != "" || addr.String() != host {
			return errors.New("holds an address that is not canonical")
		}
		return nil
	}
	if len(l.host) > 253 {
		return errors.New("holds a host that is too long")
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
