package journal

// Substitute makes what stands for the end of a finished log in views that lack its gate, when no view lacked it at the time and so only an
// error could be put there.
func (l *Log) Substitute(alt Alt) {
	l.mu.Lock()
	r, ok := l.readLocked(l.events, 1)
	ok = ok && l.closed && l.committed == l.events
	l.mu.Unlock()
	if !ok {
		return
	}
	rec := r.record(0)
	if Type(rec[0]) != TypeResult || Gate(rec[1]) == GateNone {
		return
	}
	l.mu.Lock()
	made := l.alt != nil && Type(l.alt[0]) == TypeResult
	l.mu.Unlock()
	if made {
		return
	}
	if other := alt(l, TypeResult, rec[recordHead:]); other != nil {
		l.mu.Lock()
		l.alt = other
		l.mu.Unlock()
	}
}
