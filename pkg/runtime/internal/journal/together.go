package journal

// joint is what one caller wants done under the baton.
type joint struct {
	stage func() // stages something
	after func() // runs once that is committed
	done  bool   // guarded by the baton
}

// together runs stage under the baton with nothing else staged, commits what it staged, and runs after. Callers that wait for the baton at
// the same time share the commit: the first does it for all, so on a durable store the disk is waited for once.
//
// What callers stage are keys of new logs and operations of views, any number of them: a refused one ends its view and leaves the others alone.
func (s *Sequencer) together(stage, after func()) {
	j := &joint{stage: stage, after: after}
	s.mu.Lock()
	s.joints = append(s.joints, j)
	s.mu.Unlock()
	s.run.Lock()
	if !j.done {
		s.drain()
		s.runJoints()
	}
	s.unlock()
}

func (s *Sequencer) runJoints() {
	s.mu.Lock()
	all := s.joints
	s.joints = nil
	s.mu.Unlock()
	for _, j := range all {
		j.stage()
	}
	s.commit()
	for _, j := range all {
		j.after()
		j.done = true
	}
}
