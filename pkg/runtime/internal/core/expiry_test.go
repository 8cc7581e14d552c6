package core

import (
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// TestExpiryClocks: the earlier of two clocks counts, so that a step of the wall clock gives nothing back. guards E10, T20.
func TestExpiryClocks(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 5, 13, 20, 0, 0, 0, time.UTC)
	end := began.Add(10 * time.Minute)
	e := ExpiryAt(end, began, began, time.Hour)
	for _, c := range []struct {
		name string
		step time.Duration // of the wall clock, once the job runs
		run  time.Duration // since it was accepted
		want bool
	}{
		{"a moment before", 0, 10*time.Minute - 1, false},
		{"the instant itself", 0, 10 * time.Minute, true},
		{"set back, before", -time.Hour, 10*time.Minute - 1, false},
		{"set back, at its end", -time.Hour, 10 * time.Minute, true},
		{"set forward past it", time.Hour, time.Second, true},
		{"set forward to just before it", 9 * time.Minute, time.Minute - 1, false},
		{"set forward to it", 9 * time.Minute, time.Minute, true},
	} {
		if got := e.Over(began.Add(c.step+c.run), time.Hour+c.run); got != c.want {
			t.Errorf("%s: over = %v, want %v", c.name, got, c.want)
		}
	}
}

// TestExpiryAfterARestart: the wall time is kept, and never more is left than there was in the beginning.
func TestExpiryAfterARestart(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 5, 13, 20, 0, 0, 0, time.UTC)
	end := began.Add(10 * time.Minute)
	for _, c := range []struct {
		name string
		wall time.Duration // what the clock shows at the restart, since began
		left time.Duration
	}{
		{"half way", 5 * time.Minute, 5 * time.Minute},
		{"past it", time.Hour, 1},
		{"set back by a day", -24 * time.Hour, 10 * time.Minute},
	} {
		e := ExpiryAt(end, began, began.Add(c.wall), 7)
		if e.Over(began.Add(-48*time.Hour), 7+c.left-1) || !e.Over(began.Add(-48*time.Hour), 7+c.left) {
			t.Errorf("%s: not over after exactly %v", c.name, c.left)
		}
	}
	if far := ExpiryAt(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), began, began, time.Hour); far.Over(began.AddDate(200, 0, 0), 1<<62) {
		t.Error("a far end is over too early")
	}
	if (Expiry{}).Over(end.AddDate(1000, 0, 0), 1<<62) {
		t.Error("no expiry is over")
	}
}

// TestExpiredLives: the lease ends the job, at the agent's return or a second later.
func TestExpiredLives(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 5, 13, 20, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		max    time.Duration
		steps  []jobStep
		code   arcp.ErrorCode
		fenced bool
	}{
		{"returns in time", 0, []jobStep{{29, "tick"}, {30, "tick"}, {31, "return"}}, arcp.CodeLeaseExpired, false},
		{"fails in time", 0, []jobStep{{30, "tick"}, {30, "fail"}}, arcp.CodeLeaseExpired, false},
		{"does not return", 0, []jobStep{{30, "tick"}, {31, "tick"}}, arcp.CodeLeaseExpired, true},
		{"by the other clock", 0, []jobStep{{5, "expire"}, {6, "tick"}}, arcp.CodeLeaseExpired, true},
		{"deadline first", 20 * time.Second, []jobStep{{20, "tick"}, {30, "tick"}}, arcp.CodeTimeout, true},
		{"cancel first", 0, []jobStep{{29, "cancel"}, {30, "tick"}, {31, "return"}}, arcp.CodeCancelled, false},
		{"over already", 0, []jobStep{{29, "fail"}, {30, "expire"}}, arcp.CodePermissionDenied, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := NewJob(0, c.max, grace, ExpiryAt(began.Add(30*time.Second), began, began, 0))
			first := 30 * time.Second
			if c.max > 0 {
				first = c.max
			}
			if fx := j.Start(); fx.Timer != first {
				t.Errorf("timer = %v, want %v", fx.Timer, first)
			}
			var last JobEffects
			for _, s := range c.steps {
				fx := JobEffects{}
				if s.do == "expire" {
					fx = j.Expire(time.Duration(s.at) * time.Second)
				} else {
					fx = live(&j, s)
				}
				if fx.Terminal != nil {
					last = fx
				}
			}
			if last.Terminal == nil || last.Terminal.Code != c.code || last.Terminal.Retryable != (c.code == arcp.CodeTimeout) || last.Fence != c.fenced {
				t.Errorf("the end = %+v %v, want %s, fenced %v", last, last.Terminal, c.code, c.fenced)
			}
		})
	}
}
