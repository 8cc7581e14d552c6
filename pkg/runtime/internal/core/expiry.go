package core

import (
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// expiryGrace is how long a job may still run whose lease has ended.
const expiryGrace = arcp.LimitLeaseGraceSec * time.Second

// Expiry is the instant at which a lease ends (§9.5): by the wall clock or by the monotonic one, whichever comes first. So a wall clock
// that is set back gives nothing back, and one that is set forward is believed. The zero value is never.
type Expiry struct {
	wall time.Time
	at   time.Duration // on the monotonic clock; 0 is never
}

// ExpiryAt returns the expiry at a time that the wall clock will show, for a job that was accepted at began. What is left of it is never more
// than it was then, whatever the wall clock shows now. A zero end is never.
func ExpiryAt(end, began, wall time.Time, mono time.Duration) Expiry {
	if end.IsZero() {
		return Expiry{}
	}
	left := min(end.Sub(wall), end.Sub(began))
	return Expiry{wall: end, at: later(mono, max(left, 1))}
}

// Time returns the instant on the wall clock; zero is never.
func (e Expiry) Time() time.Time { return e.wall }

// Over says whether the lease has ended, from its instant on.
func (e Expiry) Over(wall time.Time, mono time.Duration) bool {
	return e.at != 0 && (!wall.Before(e.wall) || mono >= e.at)
}

func (e Expiry) due(mono time.Duration) bool { return e.at != 0 && mono >= e.at }

// Within returns the earlier of two ends, by each clock.
func (e Expiry) Within(other Expiry) Expiry {
	switch {
	case e.at == 0:
		return other
	case other.at == 0:
		return e
	case other.wall.Before(e.wall):
		e.wall = other.wall
	}
	e.at = min(e.at, other.at)
	return e
}
