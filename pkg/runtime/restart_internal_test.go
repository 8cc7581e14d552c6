package runtime

import (
	"testing"
	"time"
)

// TestRemaining: what is left of a time is never more than all of it, whatever the clock did meanwhile. guards C11.
func TestRemaining(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name        string
		whole, past time.Duration
		want        time.Duration
	}{
		{"just begun", time.Hour, 0, time.Hour},
		{"some gone", time.Hour, 20 * time.Minute, 40 * time.Minute},
		{"over", time.Hour, time.Hour, minLeft},
		{"long over", time.Hour, 1 << 62, minLeft},
		{"clock set back", time.Hour, -time.Hour, time.Hour},
		{"for ever", 1<<63 - 1, -time.Hour, 1<<63 - 1},
		{"none", 0, 0, minLeft},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := remaining(began, c.whole, began.Add(c.past)); got != c.want {
				t.Errorf("remaining = %v, want %v", got, c.want)
			}
		})
	}
}
