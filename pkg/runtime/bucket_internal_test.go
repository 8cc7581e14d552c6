package runtime

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"
)

// A bucket gives what exact arithmetic gives, and says to the nanosecond when there is more.
func TestBucketIsExact(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rate, burst := 1+r.Int64N(50), 1+r.Int64N(20)
		var b bucket
		have, now := new(big.Rat).SetInt64(burst), time.Duration(0)
		for range 200 {
			step := time.Duration(r.Int64N(int64(time.Second) / 5))
			now += step
			have.Add(have, big.NewRat(int64(step)*rate, int64(time.Second)))
			if full := new(big.Rat).SetInt64(burst); have.Cmp(full) > 0 {
				have = full
			}
			n, wait := b.take(now, rate, burst, 1)
			if want := have.Cmp(big.NewRat(1, 1)) >= 0; (n == 1) != want {
				t.Fatalf("rate %d burst %d at %s: take = %d with %s tokens", rate, burst, now, n, have)
			}
			have.Sub(have, big.NewRat(n, 1))
			if n == 0 {
				early, late := b, b
				if n, _ := early.take(now+wait-1, rate, burst, 1); n != 0 {
					t.Fatalf("there was a token before the %s said", wait)
				}
				if n, _ := late.take(now+wait, rate, burst, 1); n != 1 {
					t.Fatalf("there was no token after the %s said", wait)
				}
			}
		}
	}
}

// Numbers beyond all reason overflow nothing, and a clock that is set back gives nothing.
func TestBucketBounds(t *testing.T) {
	t.Parallel()
	var b bucket
	if n, _ := b.take(math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64); n != maxBucket {
		t.Errorf("a bucket of all there is gives %d, want %d", n, int64(maxBucket))
	}
	if n, wait := b.take(0, 1, 1, 1); n != 0 || wait <= 0 {
		t.Errorf("take in the past = %d, %s, want to wait", n, wait)
	}
	if b.full(math.MaxInt64, math.MaxInt64) < 0 {
		t.Error("full is negative")
	}
}
