package runtime

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// borrow returns a job by its id, be it of this node or, in a shared runtime, of another; nil when there is none. Until done is called it
// is not forgotten. One of another node stays for as long as some session here is attached to it.
func (rt *Runtime) borrow(ctx context.Context, id string) (_ *job, done func()) {
	rt.mu.Lock()
	j := rt.jobs[id]
	if j != nil {
		j.users++
	}
	rt.mu.Unlock()
	if j == nil && rt.opts.Shared {
		var err error
		if j, _, err = rt.describe(ctx, id); err != nil {
			rt.opts.Logger.Error("job of another node cannot be looked up", "job", id, "error", err)
		}
	}
	if j == nil {
		return nil, func() {}
	}
	return j, func() { rt.giveBack(j) }
}

// giveBack ends a borrow: a remote job that somebody attached to meanwhile is followed, and one that nobody has is forgotten.
func (rt *Runtime) giveBack(j *job) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	j.users--
	if !j.remote.Load() {
		return
	}
	switch watched := j.log.Watched(); {
	case watched && !j.following && rt.opts.Shared:
		j.following = true
		rt.back.start(func(ctx context.Context) { rt.follow(ctx, j) })
	case !watched && j.users == 0 && j.following:
		j.log.Nudge()
	case !watched && j.users == 0:
		rt.unlist(j)
	}
}

// unlist takes a job out of the table. The caller holds rt.mu.
func (rt *Runtime) unlist(j *job) {
	j.uncount()
	if rt.jobs[j.id] == j {
		delete(rt.jobs, j.id)
	}
}

// followRetry is how long a store that failed is left alone.
const followRetry = time.Second

// follow feeds a remote job's log while somebody is attached to it.
func (rt *Runtime) follow(ctx context.Context, j *job) {
	for {
		j.moved()
		err := j.log.Follow(ctx, j.alt, j.moved)
		if ctx.Err() != nil {
			return
		}
		gone := errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrClosed)
		if err != nil && !gone {
			rt.opts.Logger.Error("job of another node cannot be followed", "job", j.id, "error", err)
			select {
			case <-time.After(followRetry):
			case <-ctx.Done():
				return
			}
			continue
		}
		if rt.unfollow(j, gone) {
			return
		}
	}
}

// unfollow ends the following of a job that is gone, that is this node's now, or that nobody has.
func (rt *Runtime) unfollow(j *job, gone bool) bool {
	rt.mu.Lock()
	remote := j.remote.Load()
	if remote && !gone && (j.users > 0 || j.log.Watched()) {
		rt.mu.Unlock()
		return false
	}
	j.following = false
	if remote {
		rt.unlist(j)
	}
	rt.mu.Unlock()
	if remote && gone {
		_ = rt.seq.CloseLog(j.log) // a failed store has told so already
	}
	return true
}

// moved notes the end of a remote job.
func (j *job) moved() {
	if _, _, _, over := j.log.Terminal(); over && j.remote.Load() {
		j.uncount()
		j.unwatch()
	}
}

func (j *job) count() {
	if j.rt.quotas.force(&j.slot, j.principal, ofJobs) {
		j.owner.unfinished.Add(1)
	}
}

func (j *job) uncount() {
	if j.rt.quotas.release(&j.slot) {
		j.owner.unfinished.Add(-1)
	}
}

// loaded brings what the store has of the job and this node does not: what another node has written by now, or all of one that has ended.
func (j *job) loaded(ctx context.Context) *arcp.Error {
	err := j.log.Fetch(ctx)
	if j.remote.Load() {
		err = j.log.Load(ctx, j.alt)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return errNoJob()
	case err != nil:
		j.rt.opts.Logger.Error("job cannot be read", "job", j.id, "error", err)
		return arcp.NewError(arcp.CodeInternalError, "the job cannot be read now")
	}
	return nil
}

// statusAt returns the job's state at a cut of its log. The caller holds j.mu.
func (j *job) statusAt(cut uint64) arcp.JobStatus {
	if !j.remote.Load() {
		return j.core.Status()
	}
	if index, _, _, over := j.log.Terminal(); !over || index > cut {
		return arcp.StatusRunning
	}
	return j.finalStatus()
}

// finalStatus returns how a job ended whose log has its terminal.
func (j *job) finalStatus() arcp.JobStatus {
	_, t, tail, _ := j.log.Terminal()
	e, err := decodeTail(j.id, t, tail)
	if err != nil {
		return arcp.StatusError
	}
	switch p := e.Payload.(type) {
	case *arcp.JobResult:
		return p.FinalStatus
	case *arcp.JobError:
		return p.FinalStatus
	}
	return arcp.StatusError
}

// decodeTail decodes a stored terminal.
func decodeTail(jobID string, t journal.Type, tail []byte) (*arcp.Envelope, error) {
	kind := arcp.TypeJobError
	if t == journal.TypeResult {
		kind = arcp.TypeJobResult
	}
	return arcp.Decode(append(append(arcp.AppendSequencedPrefix(nil, kind, jobID), '1'), tail...))
}

// alt makes what a session without chunks gets for the end of a remote job that streamed its result.
func (j *job) alt(l *journal.Log, t journal.Type, tail []byte) []byte {
	e, err := decodeTail(j.id, t, tail)
	if err != nil {
		return nil
	}
	res, ok := e.Payload.(*arcp.JobResult)
	if !ok || res.ResultSize == nil {
		return nil
	}
	text, err := assemble(l, res.ResultID, *res.ResultSize, false)
	if err != nil {
		text = nil // it gets an error instead
	}
	index, _ := strconv.ParseUint(e.ID[strings.LastIndexByte(e.ID, '.')+1:], 10, 64)
	out, typ, err := j.appendInline([]byte{0, byte(journal.GateNone)}, index, res, text)
	if err != nil {
		return nil
	}
	out[0] = byte(typ)
	return out
}

// belongs says whether a session may cancel the job: it submitted it, or the one that did has ended.
func (j *job) belongs(ctx context.Context, s *session) bool {
	switch {
	case j.owner.id == s.id, j.owner.gone.Load():
		return true
	case !j.rt.lasting:
		return false
	}
	_, err := j.rt.store.Lookup(ctx, store.Key{Kind: store.KindSession, ID: j.owner.id})
	return errors.Is(err, store.ErrNotFound)
}

// cancelPatience is how long a session waits for what another node makes of a cancel.
const cancelPatience = 2 * time.Second

// cancelThere cancels a job that another node runs. That node decides, and records a cancel that holds; the writer waits for it, so that the
// answer precedes the end.
func (j *job) cancelThere(ctx context.Context, c *connection, s *session, requestID, reason string) *arcp.Error {
	last, refusal := j.mayCancelThere(ctx, s, reason)
	if refusal != nil {
		return refusal
	}
	s.view.Hold()
	defer s.view.Release()
	err := j.rt.store.Post(ctx, store.Key{Kind: store.KindJob, ID: j.id}, store.Command{Kind: commandCancel, Data: []byte(reason)})
	taken := false
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, cancelPatience)
		defer cancel()
		taken, err = journal.Cancels(ctx, j.rt.store, j.id, last)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return errNoJob()
	case err != nil:
		j.rt.opts.Logger.Error("cancel has no answer from the job's node", "job", j.id, "error", err)
		return arcp.NewError(arcp.CodeInternalError, "the job's runtime has not answered the cancel")
	case !taken:
		over := core.JobAt(arcp.StatusSuccess)
		return over.Cancel(true, reason, 0).Refuse
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.conn.Load() != c {
		return nil // the session went on over another link, where the client asks again
	}
	c.answer(s, j, &arcp.JobCancelled{JobID: j.id, Reason: reason, RequestID: requestID}, j.rt.seq.Tail(s.view))
	return nil
}

// mayCancelThere refuses what can be refused here, and says how many records the job has.
func (j *job) mayCancelThere(ctx context.Context, s *session, reason string) (records uint64, _ *arcp.Error) {
	key := store.Key{Kind: store.KindJob, ID: j.id}
	head, err := j.rt.store.Lookup(ctx, key)
	over := false
	if err == nil {
		_, over, err = journal.Last(ctx, j.rt.store, j.id)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return 0, errNoJob()
	case err != nil:
		j.rt.opts.Logger.Error("job of another node cannot be read", "job", j.id, "error", err)
		return 0, arcp.NewError(arcp.CodeInternalError, "the job cannot be read now")
	}
	machine := core.JobAt(arcp.StatusRunning)
	if over {
		machine = core.JobAt(arcp.StatusSuccess)
	}
	return head.Records, machine.Cancel(j.belongs(ctx, s), reason, 0).Refuse
}
