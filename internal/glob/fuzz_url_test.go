package glob

import (
	"net/url"
	"strings"
	"testing"
)

// What a pattern matched is, read again by the parser that fetches, inside the granted host. guards E4
func FuzzMatchURL(f *testing.F) {
	f.Add("https://a.example.com/x")
	f.Add("https://evil.com/#.example.com/")
	f.Add("https://a.example.com:443@evil.com/")
	f.Fuzz(func(t *testing.T, target string) {
		if !Match(URL, "https://*.example.com/w/**", target) {
			return
		}
		u, err := url.Parse(target)
		if err != nil {
			t.Fatalf("Match(%q) = true for what does not parse", target)
		}
		host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
		if u.Scheme != "https" || !strings.HasSuffix(host, ".example.com") || u.User != nil {
			t.Fatalf("Match(%q) = true, but the host is %q", target, u.Host)
		}
		if clean := u.JoinPath().Path; strings.TrimSuffix(clean, "/") != strings.TrimSuffix(u.Path, "/") {
			t.Fatalf("Match(%q) = true, but its path cleans to %q", target, clean)
		}
	})
}
