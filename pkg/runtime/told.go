package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// told is what a runtime must know of a job that it did not accept itself, before it reads one record of its log. It is the snapshot
// under the job's key, committed with the first record, with the one that each further run begins with, and with the last.
type told struct {
	Principal string       `json:"principal"`
	Session   string       `json:"session"` // that submitted it
	Keyed     bool         `json:"keyed,omitzero"`
	Accepted  arcp.RawJSON `json:"accepted"` // the payload without its request, which names agent, lease and trace
	Message   string       `json:"message"`  // the accepted frame's id
	Request   string       `json:"request"`  // the submit it answers
	Spent     arcp.Budget  `json:"spent,omitempty"`

	Run *toldRun `json:"run,omitzero"` // until it has ended
	End *toldEnd `json:"end,omitzero"` // once it has
}

// toldRun is what it takes to run a job again.
type toldRun struct {
	Input         arcp.RawJSON `json:"input,omitzero"`
	MaxRuntimeSec uint64       `json:"max_runtime_sec,omitzero"` // from its acceptance
	Attempt       int          `json:"attempt"`
	Span          string       `json:"span,omitzero"`         // the traceparent of what the job is under
	Credentials   []string     `json:"credentials,omitempty"` // their ids
}

// toldEnd is how a job ended.
type toldEnd struct {
	At     time.Time      `json:"at"`
	Status arcp.JobStatus `json:"status"`
	Index  uint64         `json:"index"` // of its terminal
	Bytes  int            `json:"bytes"` // of the records kept
}

// asked is what a job keeps of its submit.
type asked struct {
	message, request string
	maxRuntime       time.Duration
}

// tell returns the job's snapshot; nil in a runtime whose store nobody else will ever see.
func (j *job) tell(end *toldEnd) ([]byte, error) {
	if !j.rt.lasting {
		return nil, nil
	}
	t := &told{
		Principal: j.principal, Session: j.owner.id, Keyed: j.keyed, Accepted: j.line, Message: j.asked.message, Request: j.asked.request,
		Spent: j.grant.purse.spent(), End: end,
	}
	if end == nil {
		t.Run = &toldRun{Input: j.task.input, MaxRuntimeSec: uint64(j.asked.maxRuntime / time.Second), Attempt: j.task.attempt, Span: j.span, Credentials: j.credentialIDs()}
	}
	return dynjson.Marshal(t)
}

// tellEnd makes the snapshot of a job that ends.
func (j *job) tellEnd(status arcp.JobStatus) func(index uint64, bytes int) []byte {
	return func(index uint64, bytes int) []byte {
		snapshot, err := j.tell(&toldEnd{At: j.ended, Status: status, Index: index, Bytes: bytes})
		if err != nil {
			j.rt.opts.Logger.Error("end of a job cannot be told", "job", j.id, "error", err)
		}
		return snapshot
	}
}

// acceptedFrame is the job's accepted message as it was sent first, nil when it cannot be made again.
func (j *job) acceptedFrame() []byte {
	e := arcp.Envelope{
		ID: j.asked.message, SessionID: j.owner.id, JobID: j.id, TraceID: j.trace, Payload: j.accepted(j.asked.request),
	}
	frame, err := e.AppendJSON(nil)
	if err != nil {
		return nil
	}
	return frame
}

// describe makes a job of the store known here, as one that another node has; nil when there is none. It is borrowed.
func (rt *Runtime) describe(ctx context.Context, id string) (*job, *told, error) {
	head, err := rt.store.Lookup(ctx, store.Key{Kind: store.KindJob, ID: id})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return rt.meet(id, &head)
}

// meet is describe for who has looked the job up.
func (rt *Runtime) meet(id string, head *store.Head) (*job, *told, error) {
	var t told
	var p arcp.Payload
	err := dynjson.Unmarshal(head.Snapshot, &t)
	if err == nil {
		p, err = arcp.DecodePayload(arcp.TypeJobAccepted, t.Accepted)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: snapshot of job %s: %w", journal.ErrDamaged, id, err)
	}
	j := rt.jobOf(p.(*arcp.JobAccepted), &t)
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if known := rt.jobs[id]; known != nil {
		j = known
	} else {
		j.owner = rt.ownerOf(t.Session)
		rt.jobs[j.id] = j
	}
	j.users++
	return j, &t, nil
}

// jobOf is a job as its snapshot tells of it.
func (rt *Runtime) jobOf(a *arcp.JobAccepted, t *told) *job {
	j := &job{
		rt: rt, id: a.JobID, agent: a.Agent, principal: t.Principal, trace: a.TraceID, created: a.AcceptedAt, line: t.Accepted,
		keyed: t.Keyed, log: rt.seq.NewRemote(a.JobID, a.TraceID), cancel: func(error) {}, core: core.JobAt(arcp.StatusRunning),
		asked: asked{message: t.Message, request: t.Request}, grant: grantAgain(a, t.Spent, time.Now(), rt.now()),
	}
	j.kin.of = a.ParentJobID
	j.task = &Task{job: j}
	if t.Run != nil {
		j.asked.maxRuntime, j.task.input, j.task.attempt = seconds(t.Run.MaxRuntimeSec), t.Run.Input, t.Run.Attempt
		j.span, j.had = t.Run.Span, t.Run.Credentials
	}
	j.remote.Store(true)
	return j
}

// ownerOf returns what this node knows of a session, which may be on any. The caller holds rt.mu.
func (rt *Runtime) ownerOf(session string) *owner {
	if s := rt.sessions[session]; s != nil {
		return s.owner
	}
	if o := rt.owners[session]; o != nil {
		return o
	}
	if rt.owners != nil {
		o := &owner{id: session}
		rt.owners[session] = o
		return o
	}
	for _, j := range rt.jobs {
		if j.owner != nil && j.owner.id == session {
			return j.owner
		}
	}
	return &owner{id: session}
}
