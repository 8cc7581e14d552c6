// Package core holds the state machines of sessions and jobs: what may happen when, and what follows from it.
//
// A machine is a value with a Step method. It does no input or output, starts no goroutine and reads no clock: what it needs to
// know comes in, what it wants done goes out as effects. The caller serialises the steps of one machine.
package core
