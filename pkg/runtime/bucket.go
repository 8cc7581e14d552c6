package runtime

import "time"

// bucket is a token bucket. The zero bucket is full. It counts in billionths of a token, so that it fills without rounding.
type bucket struct {
	missing int64         // billionths of a token, of a full bucket, at the time at
	at      time.Duration // never runs back
}

const token = int64(time.Second) // a token a second is one billionth a nanosecond

// maxBucket bounds rate and burst, so that nothing overflows.
const maxBucket = 1 << 32

// take takes a token, if there is a whole one. Rate is the tokens a second that come back, burst those of a full bucket.
func (b *bucket) take(now time.Duration, rate, burst int64) bool {
	b.fill(now, rate)
	if b.missing+token > clampBucket(burst)*token {
		return false
	}
	b.missing += token
	return true
}

// wait returns how long it takes until there is a whole token.
func (b *bucket) wait(now time.Duration, rate, burst int64) time.Duration {
	b.fill(now, rate)
	return ticks(b.missing+token-clampBucket(burst)*token, clampBucket(rate))
}

// full returns how long it takes until nothing is missing.
func (b *bucket) full(now time.Duration, rate, burst int64) time.Duration {
	b.fill(now, rate)
	return ticks(b.missing, clampBucket(rate))
}

func (b *bucket) fill(now time.Duration, rate int64) {
	elapsed := max(0, now-b.at)
	b.at += elapsed
	rate = clampBucket(rate)
	if int64(elapsed) >= int64(ticks(b.missing, rate)) {
		b.missing = 0
		return
	}
	b.missing -= int64(elapsed) * rate
}

// ticks is how long a rate takes for so many billionths, rounded up.
func ticks(billionths, rate int64) time.Duration {
	if billionths <= 0 {
		return 0
	}
	return time.Duration((billionths + rate - 1) / rate)
}

func clampBucket(n int64) int64 { return min(max(n, 1), maxBucket) }
