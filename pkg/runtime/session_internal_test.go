package runtime

import (
	"log/slog"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// TestLateWindowTimer: the timer of a wait that is over ends no later one, however late it comes.
func TestLateWindowTimer(t *testing.T) {
	t.Parallel()
	rt, err := New(&Options{AllowAnyone: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := rt.open(t.Context(), &Principal{ID: "alice"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.mu.Lock()
		s.wait(time.Now())
		s.mu.Unlock()
	}
	s.end(1)
	if rt.find(s.id, arcp.TokenHash{}) == nil {
		t.Error("the session has ended in the middle of its second wait")
	}
	s.end(2)
	if rt.find(s.id, arcp.TokenHash{}) != nil {
		t.Error("the session outlives its window")
	}
}
