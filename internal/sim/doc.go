// Package sim is a simulation in its tests: runtimes, clients of two principals, agents that do anything, links that cut, freeze,
// delay, lose and split, all in a testing/synctest bubble, where hours pass in milliseconds. Everything that is decided is decided by
// the seed, which is printed with a failure:
//
//	make sim SEEDS=10000
//	go test ./internal/sim -seed=4711
//
// There are three kinds of worlds, of which the seed takes one unless -world says which:
//
//	one      a runtime that lives as long as its clients
//	nodes    two or three on one store; they are killed, leave, or are counted as dead while they work and find out later; others come
//	restart  one after the other on one store; each is killed or stopped, and the next begins some time later
//
// The seed decides what the actors do and when; which goroutine runs first at one instant is the scheduler's choice. A seed that fails
// therefore fails again mostly, not always; -repeat runs it as often as asked.
//
// Killed is: the links are gone without a word, and nothing that the runtime does from then on reaches the store or anybody. The store
// is the memory engine, which outlives them.
//
// After each run every job must have ended, package invariant must find nothing in the frames of either side, no secret may be in the
// log, and what every client was given must be what the log of the job holds.
package sim
