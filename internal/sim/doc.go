// Package sim is a simulation in its tests: one runtime, clients of two principals, agents that do anything, links that cut, freeze,
// delay, lose and split, all in a testing/synctest bubble, where hours pass in milliseconds. Everything that is decided is decided by
// the seed, which is printed with a failure:
//
//	make sim SEEDS=10000
//	go test ./internal/sim -seed=4711
//
// The seed decides what the actors do and when; which goroutine runs first at one instant is the scheduler's choice. A seed that fails
// therefore fails again mostly, not always; -repeat runs it as often as asked.
//
// After each run every job must have ended, package invariant must find nothing in the frames of either side, no secret may be in the
// log, and what every client was given must be what the log of the job holds.
package sim
