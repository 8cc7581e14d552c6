package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"
)

const (
	rounds    = 9
	roundTime = 25 * time.Millisecond
)

// compare times a and b in alternating rounds and returns the median of a, in nanoseconds an operation, and the median of b/a. Both
// take how many operations to do.
func compare(a, b func(n int)) (nsA, ratio float64) {
	na, nb := calibrate(a), calibrate(b)
	as, rs := make([]float64, rounds), make([]float64, rounds)
	for i := range rounds {
		runtime.GC()
		as[i] = timed(a, na)
		runtime.GC()
		rs[i] = timed(b, nb) / as[i]
	}
	return median(as), median(rs)
}

// calibrate returns how many operations fill a round.
func calibrate(f func(int)) int {
	n := 1
	for {
		start := time.Now()
		f(n)
		d := time.Since(start)
		if d >= roundTime/2 {
			return max(1, int(float64(n)*float64(roundTime)/float64(d)))
		}
		n *= 2
	}
}

func timed(f func(int), n int) float64 {
	start := time.Now()
	f(n)
	return float64(time.Since(start)) / float64(n)
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

// alternate calls a and b in turn and returns the median of what a says, and the median of a/b.
func alternate(rounds int, a, b func() (float64, error)) (figure, ratio float64, err error) {
	as, rs := make([]float64, rounds), make([]float64, rounds)
	for i := range rounds {
		runtime.GC()
		if as[i], err = a(); err != nil {
			return 0, 0, err
		}
		runtime.GC()
		reference, err := b()
		if err != nil {
			return 0, 0, err
		}
		rs[i] = as[i] / reference
	}
	return median(as), median(rs), nil
}

// compareRates is alternate for a row: the figure is in unit, which is so many times what a says.
func compareRates(unit string, times float64, a, b func() (float64, error)) (string, float64, error) {
	const rounds = 5
	figure, ratio, err := alternate(rounds, a, b)
	return fmt.Sprintf("%.4g%s", figure/times, unit), ratio, err
}

// quantile returns the value that the share q of all lies below.
func quantile(d []time.Duration, q float64) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[int(q*float64(len(s)-1))]
}
