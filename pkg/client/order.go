package client

import "strconv"

// order decides which of a job's events belong into its queue. An event's id is <job_id>.<index> (§5), and the index goes up, with holes
// where something was not for this session. The events of a job come in runs: what happens, in order, and in between the replay of a
// history that was asked for, which begins further back and ends where the run before it was. A run that begins at or below last holds
// all that follows last.
type order struct {
	last     uint64 // the index of the last event that went into the queue; it and those below are done with
	at       uint64 // the index of the last event that came
	behind   bool   // events above last were left out: only a new run goes on
	cold     bool   // behind from the start: runs may come that somebody before asked for, and that begin above last
	exact    bool   // of a cold one: last+1 is an event that is seen here, so it is by that event that the right run is known
	below    uint64 // of one that is not: runs begun before are all above it, so the right one begins at or below; 0 when that is not known
	given    bool   // of a cold one: the right run comes by itself
	fetching bool   // it is on its way
}

// admit takes note of an event and says whether it comes next. A peer that gives its events other ids has index 0 throughout: there is
// nothing to tell repetitions by.
// Of a dense log, one whose every index is seen here, a run that begins above last+1 is one that was asked for before.
func (o *order) admit(index uint64, dense bool) bool {
	if index == 0 {
		return true
	}
	again := index <= o.at && (!dense || index <= o.last+1) && !o.exact && (o.below == 0 || index <= o.below)
	o.at = index
	if o.behind && (again || index == o.last+1) {
		*o = order{last: o.last, at: o.at}
	}
	return !o.behind && index > o.last
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
