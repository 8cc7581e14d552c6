// Package invariant judges whole conversations. A Recorder notes every frame that passes one end of any number of connections, and
// Check says which of the promises below the trace breaks, whatever the test was about. It knows the protocol and nothing of how
// this runtime or this client work, so that it may be held against any pair.
//
//	W    frames are valid, come from the side that may send them, in a state that allows them, with agreed kinds and features
//	I1   per session event_seq is 1, 2, 3, ... over all its connections, and a number has one body
//	I2   a job ends once, and nothing follows its end; another run of it, and an end for want of a runtime, need a runtime that died
//	I3   what was accepted ends (only where the trace is said to be whole)
//	I4   every view of a job is its log: the same entries, in order, without a gap that a missing feature does not explain
//	I5   secrets reach nobody but their owner
//	I9   no id of another principal's session or job, and one answer for what is foreign and what is not there
//	I10  equal keys and fingerprints give one job; a key with another fingerprint gives none
//	I11  a request has one outcome, and a refused one has no effect
//
// I6 to I8 belong to credentials, budgets and leases, which are not built. I12, that everything returns to its base, is not in frames:
// a testing/synctest bubble and goleak see to it.
package invariant
