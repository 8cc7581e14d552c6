//go:build unix

package main

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A service manager is told when there is one, and nobody else.
func TestNotify(t *testing.T) {
	notify("READY=1") // to nobody
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	t.Setenv("NOTIFY_SOCKET", path)
	notify("READY=1")
	var got [64]byte
	n, err := c.Read(got[:])
	if err != nil || string(got[:n]) != "READY=1" {
		t.Errorf("the service manager was told %q, %v", got[:n], err)
	}
}

// What a service is at is what /readyz says, from before there is a runtime; /healthz says ok to all of it.
func TestReady(t *testing.T) {
	t.Parallel()
	o := newOps()
	mux := http.NewServeMux()
	o.handle(mux, fromAnywhere)
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	for _, at := range []phase{starting, ready, draining, failed} {
		o.is(at)
		want := http.StatusServiceUnavailable
		if at == ready {
			want = http.StatusOK
		}
		if code, text := get(readyPath); code != want || text != string(at) {
			t.Errorf("%s while %s: %d %q, want %d", readyPath, at, code, text, want)
		}
		if code, _ := get(healthPath); code != http.StatusOK {
			t.Errorf("%s while %s: %d", healthPath, at, code)
		}
	}
	if code, _ := get(metricsPath); code != http.StatusServiceUnavailable {
		t.Errorf("%s without a runtime: %d", metricsPath, code)
	}
}

// Metrics beside the endpoint are for this machine, and for no page that gave it a name of its own.
func TestFromHere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		remote, host string
		want         bool
	}{
		{"127.0.0.1:1", "127.0.0.1:7878", true},
		{"127.0.0.1:1", "localhost:7878", true},
		{"[::1]:1", "[::1]:7878", true},
		{"127.0.0.1:1", "rebound.example:7878", false},
		{"127.0.0.1:1", "", false},
		{"192.0.2.1:1", "192.0.2.2:7878", false},
		{"bogus", "localhost", false},
	} {
		r := httptest.NewRequest(http.MethodGet, metricsPath, nil)
		r.RemoteAddr, r.Host = c.remote, c.host
		if got := fromHere(r); got != c.want {
			t.Errorf("fromHere(%s for %q) = %v, want %v", c.remote, c.host, got, c.want)
		}
	}
}

// The audit log goes on in the old file when a new one cannot be opened, and says once when records are lost, and once when they no longer
// are.
func TestAuditFile(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	path := filepath.Join(folder, "audit")
	a, err := openAudit(path, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	log := a.logger()
	log.Info("one", "principal", "alice")
	if err := os.Rename(folder, folder+".old"); err != nil {
		t.Fatal(err)
	}
	a.reopen() // there is no folder
	log.Info("two")
	text, err := os.ReadFile(filepath.Join(folder+".old", "audit"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(text); strings.Count(got, "\n") != 2 || !strings.Contains(got, `"action":"one","principal":"alice"}`) || strings.Contains(got, "level") {
		t.Errorf("the old file has %q", got)
	}
	_ = a.file.Close()
	log.Info("three")
	log.Info("four")
	if got := strings.Count(said.String(), "are being lost"); got != 1 {
		t.Errorf("lost records are told %d times:\n%s", got, said.String())
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	a.reopen()
	log.Info("five")
	if !strings.Contains(said.String(), "are written again") {
		t.Errorf("nothing says that records are written again:\n%s", said.String())
	}
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "five") {
		t.Errorf("the new file has %q, %v", text, err)
	}
	if err := a.close(); err != nil {
		t.Error(err)
	}
}
