package journal

import (
	"bytes"
	"context"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// state is the newest record of a type from typeState on.
type state struct {
	data []byte
	at   int64 // bytes of events staged by then
}

// State returns what the newest record of a state holds, nil when there is none. Of a remote log it is as new as what was loaded.
func (l *Log) State(t Type) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.states[t].data
}

// Outcome is what goes into a log together with an event.
type Outcome struct {
	State []byte // replaces the state before it; nil leaves that
	More  []*arcp.JobEvent
	Row   *store.JobRow // replaces the job's line in listings; nil leaves that
}

// AppendWith stages an event as Append does, and with it the state that it leads to and the events that follow from it: one commit has all
// of it, or the state alone. Then is called once it is certain that the event can be staged, under the log's lock.
func (l *Log) AppendWith(ctx context.Context, ev *arcp.JobEvent, t Type, then func() Outcome) error {
	defer l.seq.nudge()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.waitForRoom(ctx); err != nil {
		return err
	}
	tail, err := arcp.AppendEventTail(nil, l.jobID, l.events+1, l.traceID, ev)
	if err == nil && len(tail) > l.seq.limits.FrameBytes-framePrefixMax {
		err = ErrTooLarge
	}
	if err != nil {
		return err
	}
	out := then()
	if out.State != nil {
		l.stageNote(t, out.State)
	}
	if out.Row != nil {
		l.row = out.Row
	}
	for _, next := range append([]*arcp.JobEvent{ev}, out.More...) {
		if err := l.stageEvent(next); err != nil {
			return err
		}
	}
	return nil
}

// AppendNamed stages an event as Append does, and calls named with its index before anybody can read it, under the log's lock.
func (l *Log) AppendNamed(ctx context.Context, ev *arcp.JobEvent, named func(index uint64)) error {
	defer l.seq.nudge()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.waitForRoom(ctx); err != nil {
		return err
	}
	named(l.events + 1)
	return l.stageEvent(ev)
}

// Update stages a state alone, which next makes under the log's lock, so that none overtakes another; nil is none.
func (l *Log) Update(t Type, next func() []byte) error {
	defer l.seq.nudge()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refusal(); err != nil {
		return err
	}
	if state := next(); state != nil {
		l.stageNote(t, state)
	}
	return nil
}

// keepState notes the newest record of a state. The caller holds l.mu.
func (l *Log) keepState(t Type, data []byte) {
	if l.states == nil {
		l.states = make(map[Type]state)
	}
	l.states[t] = state{bytes.Clone(data), l.emitted}
}

// repeatStates stages states again before what is trimmed comes near them: a log keeps about LogBytes of events at least. The
// caller holds l.mu.
func (l *Log) repeatStates() {
	for t, s := range l.states {
		if l.emitted-s.at > int64(l.seq.limits.LogBytes/2) {
			l.stageNote(t, s.data)
		}
	}
}
