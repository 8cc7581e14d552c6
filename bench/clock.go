package main

import (
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
