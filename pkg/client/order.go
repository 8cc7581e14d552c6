package client

import "strconv"

// order decides which of a job's events are taken, by one who reads all of them. An event's id is <job_id>.<index> (§5), and the index goes
// up, with holes where something was not for this session. Each answer to a question for a job's events says after which of the session's
// numbers they come: those up to it were asked for before, and may begin anywhere in the log.
//
// Invariant: unless behind, the events numbered above after hold all that follow last.
type order struct {
	last   uint64 // the index of the last event that was taken; it and those below are done with
	after  uint64 // the session's number
	seen   uint64 // the index of the last event that came, taken or not
	behind bool   // something above last was left out: only what is asked for from there goes on
	asked  bool   // it was asked for, and the answer is to come
	fresh  bool   // the next event is the first of what was asked for, and what it leaves out is nowhere
}

// admit takes note of an event and says whether it comes next. A peer that gives its events other ids has index 0 throughout: there is
// nothing to tell repetitions by.
func (o *order) admit(seq, index uint64) bool {
	if index == 0 {
		return true
	}
	o.seen = index
	return !o.behind && seq > o.after && index > o.last
}

// misses says whether an admitted event leaves some out, where a session sees all: the log lost its beginning before they were asked for, as
// they are for a submit with the key of a job that is there.
func (o *order) misses(index uint64) bool { return index > o.last+1 && !o.fresh }

// take says that an event is done with, here.
func (o *order) take(index uint64) {
	o.last = max(o.last, index)
	o.fresh = o.fresh && index == 0
}

// ask says whether it is time to ask for what follows last, and that it is done.
func (o *order) ask() bool {
	due := o.behind && !o.asked
	o.asked = o.asked || due
	return due
}

// goOn begins with what comes after a number of the session.
func (o *order) goOn(after uint64) { o.behind, o.asked, o.after, o.fresh = false, false, after, true }

// giveUp goes on with what comes by itself.
func (o *order) giveUp() {
	o.behind, o.asked = false, false
	o.take(o.seen)
}

// indexOf reads an index out of an event's id; 0 for an id of another form.
func indexOf(id, jobID string) uint64 {
	if len(id) <= len(jobID)+1 || id[:len(jobID)] != jobID || id[len(jobID)] != '.' {
		return 0
	}
	n, err := strconv.ParseUint(id[len(jobID)+1:], 10, 64)
	if err != nil {
		return 0
	}
	return n
}
