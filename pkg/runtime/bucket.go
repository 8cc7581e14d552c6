package runtime

import "time"

// bucket is a token bucket. The zero bucket is full. It counts in billionths of a token, so that it fills without rounding.
type bucket struct {
	missing int64         // billionths of a token that a full bucket has more, at the time at
	at      time.Duration // never runs back
}

const (
	token     = int64(time.Second) // a token a second is one billionth a nanosecond
	maxBucket = 1 << 32            // bounds rate and burst, so that nothing overflows
)

// take takes as many tokens as there are, up to most. Rate is the tokens a second that come back, burst those of a full bucket. Where it
// takes none it says how long until there is one.
func (b *bucket) take(now time.Duration, rate, burst, most int64) (n int64, wait time.Duration) {
	b.fill(now, rate)
	have := clampBucket(burst)*token - b.missing
	if have < token {
		return 0, ticks(token-have, rate)
	}
	n = min(most, have/token)
	b.missing += n * token
	return n, 0
}

// full returns how long it takes until nothing is missing.
func (b *bucket) full(now time.Duration, rate int64) time.Duration {
	b.fill(now, rate)
	return ticks(b.missing, rate)
}

func (b *bucket) fill(now time.Duration, rate int64) {
	elapsed := max(0, now-b.at)
	b.at += elapsed
	if elapsed >= ticks(b.missing, rate) {
		b.missing = 0
		return
	}
	b.missing -= int64(elapsed) * clampBucket(rate)
}

// ticks is how long a rate takes for so many billionths, rounded up.
func ticks(billionths, rate int64) time.Duration {
	if billionths <= 0 {
		return 0
	}
	rate = clampBucket(rate)
	return time.Duration((billionths + rate - 1) / rate)
}

func clampBucket(n int64) int64 { return min(max(n, 1), maxBucket) }
