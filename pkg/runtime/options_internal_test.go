package runtime

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// Who sets no Logger is told why agents fail, and nothing of every session.
func TestNilLogger(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var out bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	o, err := resolved(&Options{AllowAnyone: true})
	if err != nil {
		t.Fatal(err)
	}
	o.Logger.Info("session opened")
	o.Logger.With("job", "j1").WithGroup("g").Error("agent failed", "error", errors.New("disk full"))
	if s := out.String(); strings.Contains(s, "session opened") || !strings.Contains(s, `job=j1 g.error="disk full"`) {
		t.Errorf("the default logger got %q", s)
	}
}
