package client

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

// State is what another process needs to go on with a session: Session.State makes it, Resume takes it. It holds the resume token, so who
// has its bytes has the session, as far as the runtime takes them for the same principal: keep them as a password is kept. It shows
// nothing of itself but by MarshalBinary. The zero value is no session's.
type State struct {
	// Behind a pointer, for fmt prints the fields of a struct that has no methods it may call.
	of *stateOf
}

type stateOf struct {
	session string
	token   arcp.Secret
	seq     uint64     // everything up to it is done with
	jobs    []stateJob // those with something to come
}

// stateText is stateOf as it is kept.
type stateText struct {
	Session string     `json:"session"`
	Token   string     `json:"token"`
	Seq     uint64     `json:"seq"`
	Jobs    []stateJob `json:"jobs"`
}

// stateJob is how far a job was read: there may be events above Seq that were.
type stateJob struct {
	ID    string `json:"id"`
	Index uint64 `json:"index"`           // what is at or below it is done with
	After uint64 `json:"after"`           // what follows it comes after this number of the session,
	Fetch bool   `json:"fetch,omitempty"` // or must be asked for
}

const shownState = "client.State{redacted}"

// String tells nothing.
func (s State) String() string { return shownState }

// GoString tells nothing.
func (s State) GoString() string { return shownState }

// Format tells nothing, whatever the verb.
func (s State) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, shownState) }

// LogValue tells nothing.
func (s State) LogValue() slog.Value { return slog.StringValue(shownState) }

// MarshalJSON tells nothing.
func (s State) MarshalJSON() ([]byte, error) { return []byte(`"` + shownState + `"`), nil }

// SessionID returns the session's id, which is no secret; empty for the zero value.
func (s State) SessionID() string {
	if s.of == nil {
		return ""
	}
	return s.of.session
}

// MarshalBinary returns the state with its secret, to be kept where nobody else reads it.
func (s State) MarshalBinary() ([]byte, error) {
	if s.of == nil {
		return nil, arcp.NewError(arcp.CodeInvalidRequest, "the state of no session")
	}
	return dynjson.Marshal(&stateText{s.of.session, s.of.token.Reveal(), s.of.seq, s.of.jobs})
}

// UnmarshalBinary reads what MarshalBinary returned.
func (s *State) UnmarshalBinary(data []byte) error {
	var of stateText
	if dynjson.Unmarshal(data, &of) != nil || of.Session == "" || of.Token == "" { // the decoder's error might show the token
		return arcp.NewError(arcp.CodeInvalidRequest, "no state of a session")
	}
	s.of = &stateOf{of.Session, arcp.MakeSecret(of.Token), of.Seq, of.Jobs}
	return nil
}

// State returns what another process needs to go on from here: with all that was not processed yet, see Next, of all jobs that have not
// ended or are not read to their end. It may be taken at any time, after the end of the session, too; the session stays resumable for the
// window of its runtime. It does not stay good while the session lives: see Renewed, and take one after Resume. Going on with it elsewhere takes a session over that is still alive here.
func (s *Session) State() State {
	of := &stateOf{session: s.id, token: s.Welcome().ResumeToken}
	of.seq = s.lastSeq.Load()
	for _, j := range s.jobs.all() {
		of.add(j)
	}
	slices.SortFunc(of.jobs, func(a, b stateJob) int { return cmp.Compare(a.ID, b.ID) })
	return State{of}
}

func (of *stateOf) add(j *Job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.drained {
		return
	}
	of.seq = min(of.seq, j.processedLocked(of.seq))
	of.jobs = append(of.jobs, stateJob{
		ID: j.id, Index: j.doneWithLocked(), After: j.order.after,
		// The end of a job that is over may be below the number that all is done with up to.
		Fetch: j.order.behind || j.owed || j.over && j.session.has(arcp.FeatureSubscribe),
	})
}

// idleLocked says whether nothing that came is unprocessed.
func (j *Job) idleLocked() bool { return j.read.Load() >= j.queue.to && len(j.queue.blocks) == 0 }

// doneWithLocked returns the index up to which the job's events are processed.
func (j *Job) doneWithLocked() uint64 {
	q, read := &j.queue, j.read.Load()
	switch {
	case j.owed:
		return j.short
	case read < q.from:
		return q.begin
	case read < q.to:
		return j.past.Load()
	case len(q.blocks) > 0:
		return q.blocks[0][q.head].behind
	}
	return j.order.last
}

// Resume goes on with a session that another process began (§6.3). It connects as Connect does. Its jobs are had by Attach; what comes of
// them before is kept, within bounds. When the runtime does not know the session any more, or not all that was missed, the error is
// ErrSessionExpired.
func Resume(ctx context.Context, d transport.Dialer, state State, o *Options) (*Session, error) {
	if state.of == nil {
		return nil, arcp.NewError(arcp.CodeInvalidRequest, "the state of no session")
	}
	s := newSession(d, o.withDefaults())
	s.adopt(state.of)
	return s.connect(ctx)
}

// adopt sets a session to what a state says.
func (s *Session) adopt(of *stateOf) {
	s.id = of.session
	s.log = s.o.Logger.With("session", s.id)
	s.hello.Resume = &arcp.Resume{SessionID: s.id}
	s.in.token, s.in.seq, s.in.adopting = of.token, of.seq, true
	s.lastSeq.Store(of.seq)
	s.acks.sent = of.seq
	for _, sj := range of.jobs {
		j := newJob(s, sj.ID, nil)
		j.kept = true
		j.queue.limit = min(s.o.EventBytes, max(keptBytes, s.o.EventBytes/len(of.jobs)))
		j.begin(order{last: sj.Index, after: sj.After, behind: sj.Fetch})
		s.jobs.keep(j, len(of.jobs))
	}
}
