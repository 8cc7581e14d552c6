package store

// Rows returns how many rows the index of a principal holds, those of deleted jobs among them.
func (m *Memory) Rows(principal string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x := m.rows[principal]; x != nil {
		return len(x.sorted)
	}
	return 0
}

// Reservations returns how many idempotency keys are kept, expired ones among them.
func (m *Memory) Reservations() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.keys[KindIdem])
}
