package main

import (
	"sync"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// memory is what a client knows of its work, from the diaries of its lives before this one, and from this one.
type memory struct {
	mu      sync.Mutex
	submits []arcp.JobSubmit  // in the order they were made
	jobs    map[string]string // by key
	mine    map[string]bool   // jobs that this client submitted
	read    map[string]uint64 // by job: the index of the last event handed out
	ended   map[string]bool   // jobs that were read to their end
	before  map[string]bool   // sessions of lives before
}

// remember reads the diaries of a client's earlier lives.
func remember(dir, name string) (*memory, error) {
	m := &memory{
		jobs: map[string]string{}, mine: map[string]bool{}, read: map[string]uint64{}, ended: map[string]bool{}, before: map[string]bool{},
	}
	all, err := readDiaries(dir, name+"-")
	if err != nil {
		return nil, err
	}
	asked := map[string]string{} // key by request id
	for i := range all {
		e := &all[i]
		switch {
		case e.Read != nil:
			m.read[e.Read.Job] = e.Read.Index
		case e.Ended != nil:
			m.ended[e.Ended.Job] = true
		case e.Frame != nil:
			m.learn(e, asked)
		}
	}
	return m, nil
}

func (m *memory) learn(e *entry, asked map[string]string) {
	env, err := arcp.Decode(e.Frame)
	if err != nil {
		return // the judge tells
	}
	switch p := env.Payload.(type) {
	case *arcp.SessionWelcome:
		m.before[env.SessionID] = true
	case *arcp.JobSubmit:
		asked[env.ID] = p.IdempotencyKey
		m.submitted(p) // where a key is used for something else, the first counts
	case *arcp.JobAccepted:
		if k, ok := asked[p.RequestID]; ok {
			m.accepted(k, p.JobID)
		}
	}
}

// submitted notes a submit before it is made. One that was noted before, by its key, is known.
func (m *memory) submitted(p *arcp.JobSubmit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.submits {
		if m.submits[i].IdempotencyKey == p.IdempotencyKey {
			return
		}
	}
	m.submits = append(m.submits, *p)
}

// accepted notes the job of a key, and returns the one it had before, or "".
func (m *memory) accepted(key, job string) (before string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before = m.jobs[key]
	if before == "" {
		m.jobs[key] = job
	}
	m.mine[job] = true
	return before
}

// progress notes an event that is about to be handed out.
func (m *memory) progress(job string, index uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.read[job] = index
}

func (m *memory) finished(job string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended[job] = true
}

// open are the submits without an answer, and the jobs that were not read to their end.
func (m *memory) open() (submits []arcp.JobSubmit, jobs []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.submits {
		switch job := m.jobs[p.IdempotencyKey]; {
		case job == "":
			submits = append(submits, p)
		case !m.ended[job]:
			jobs = append(jobs, job)
		}
	}
	return submits, jobs
}

// known are all jobs of this client.
func (m *memory) known() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for _, p := range m.submits {
		if job := m.jobs[p.IdempotencyKey]; job != "" {
			all = append(all, job)
		}
	}
	return all
}

// some returns submit number n of those made, counted round.
func (m *memory) some(n int) (p arcp.JobSubmit, job string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.submits) == 0 {
		return p, "", false
	}
	p = m.submits[n%len(m.submits)]
	return p, m.jobs[p.IdempotencyKey], true
}
