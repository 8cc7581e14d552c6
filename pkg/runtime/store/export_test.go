package store

// Reservations returns how many idempotency keys are kept, expired ones among them.
func (m *Memory) Reservations() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.keys[KindIdem])
}
