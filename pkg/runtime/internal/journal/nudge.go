package journal

// nudge sees to it that what is staged is committed. On a store that takes its time the caller does not wait for that: a goroutine
// commits until nothing is staged any more, each time all that was staged meanwhile. So the slower the store, the more shares a commit.
func (s *Sequencer) nudge() {
	if !s.slow {
		s.kick()
		return
	}
	if s.pending.Load() && s.away.CompareAndSwap(false, true) {
		go s.runAway()
	}
}

func (s *Sequencer) runAway() {
	for s.pending.Load() {
		s.run.Lock()
		s.drainAndLetGo()
	}
	s.away.Store(false)
	s.nudge() // who staged something before the line above has left it to us
}

// Settle commits what is staged and waits until it is published, whoever does it.
func (s *Sequencer) Settle() {
	s.lock()
	s.unlock()
}
