package runtime

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// The commands for the node of a job. Values are stored.
const (
	commandCancel = "cancel" // cancel it; the data is the reason
	commandMark   = "mark"   // nothing: who posted it has seen all that was posted before when it comes
)

// posted takes what the last owner of a job has left in its inbox, and says whether it was to be cancelled.
func (j *job) posted(ctx context.Context) (reason string, cancelled bool) {
	if !j.rt.opts.Shared {
		return "", false
	}
	key, epoch := j.log.Owner()
	in, err := j.rt.store.Inbox(ctx, key, epoch)
	if err != nil {
		return "", false
	}
	defer in.Close()
	err = j.rt.store.Post(ctx, key, store.Command{Kind: commandMark})
	for err == nil {
		var c store.Command
		if c, err = in.Next(ctx); err != nil || c.Kind == commandMark {
			break
		}
		if c.Kind == commandCancel && !cancelled {
			reason, cancelled = string(c.Data), true
			_ = j.log.Note(journal.TypeCancel, c.Data)
		}
	}
	return reason, cancelled
}

// inbox does what is posted for a key of this node, until ctx is done. It says whether another node has the key now.
func (rt *Runtime) inbox(ctx context.Context, key store.Key, epoch store.Epoch, do func(store.Command)) (lost bool) {
	in, err := rt.store.Inbox(ctx, key, epoch)
	if err == nil {
		defer in.Close()
	}
	for err == nil {
		var c store.Command
		if c, err = in.Next(ctx); err == nil {
			do(c)
		}
	}
	if ctx.Err() == nil && !errors.Is(err, store.ErrFenced) && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrClosed) {
		rt.opts.Logger.Error("inbox cannot be read", "key", key.String(), "error", err)
	}
	return errors.Is(err, store.ErrFenced) || errors.Is(err, store.ErrNotFound)
}

// attend lets other nodes reach a running job, and finds out when one of them has taken it over.
func (j *job) attend() {
	if !j.rt.opts.Shared {
		return
	}
	key, epoch := j.log.Owner()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.uninbox = j.rt.back.start(func(ctx context.Context) {
		if j.rt.inbox(ctx, key, epoch, j.obey) {
			if j.over.Load() {
				<-ctx.Done() // its end is on its way through the tables
			}
			j.rt.fenced(j)
			return
		}
		if errors.Is(j.log.Flush(context.WithoutCancel(ctx)), journal.ErrLost) {
			j.rt.fenced(j) // the end it wrote came too late
		}
	})
}

func (j *job) obey(c store.Command) {
	if c.Kind != commandCancel {
		return
	}
	j.step(func() core.JobEffects {
		fx := j.core.Cancel(true, string(c.Data), j.rt.now())
		if fx.Ack { // each, for who asked waits for it
			_ = j.log.Note(journal.TypeCancel, []byte(j.core.Reason()))
		}
		return fx
	})
}

// fenced makes a job of this node one of another, which has taken it over: its agent is told to stop and leaves no trace any more,
// and sessions here that are attached get what the other node writes.
func (rt *Runtime) fenced(j *job) {
	if rt.letGo(j, ErrTakenOver, false) {
		rt.opts.Logger.Warn("job taken over by another node", "job", j.id)
	}
}

// letGo makes a job of this node one that somebody else has or will have, without an end. It is false when it was one already. With
// linger it counts as running until its agent has returned or the grace is over.
func (rt *Runtime) letGo(j *job, cause error, linger bool) bool {
	if j.remote.Swap(true) {
		return false
	}
	rt.seq.Fence(j.log)
	j.discharge()
	j.mu.Lock()
	running := j.core.Lose()
	if running {
		j.kin.end.lost = cause
	}
	j.lingers.Store(running && linger)
	j.over.Store(true)
	j.arm(0)
	j.mu.Unlock()
	j.closing.Store(true)
	j.cancel(cause)
	j.stopChildren(core.NoCause)
	j.part()
	j.task.release()
	if k := j.keys.Load(); k != nil {
		k.end()
	}
	switch {
	case running && linger:
		time.AfterFunc(max(rt.opts.Limits.CancelGrace, 1), j.lingered)
	case running:
		rt.mu.Lock()
		rt.oneLess()
		rt.mu.Unlock()
	}
	rt.mu.Lock()
	if !running {
		rt.unfinish(j)
	}
	j.users++
	rt.mu.Unlock()
	rt.giveBack(j)
	if j.uninbox != nil {
		j.uninbox()
	}
	return true
}

// lingered notes that the agent of a job that was let go has returned, or has had its time to.
func (j *job) lingered() {
	if j.lingers.Swap(false) {
		j.rt.mu.Lock()
		defer j.rt.mu.Unlock()
		j.rt.oneLess()
	}
}

// oneLess notes that a job does not run here any more. The caller holds rt.mu.
func (rt *Runtime) oneLess() {
	rt.running--
	if rt.running == 0 && rt.idle != nil {
		close(rt.idle)
		rt.idle = nil
	}
}

// unfinish takes a job out of those this node remembers. The caller holds rt.mu.
func (rt *Runtime) unfinish(j *job) {
	for _, list := range []*[]*job{&rt.finished, &rt.keyed} {
		if i := slices.Index(*list, j); i >= 0 {
			*list = slices.Delete(*list, i, i+1)
			rt.finishedBytes -= j.kept
			rt.cache.drop(j)
		}
	}
}

// attend finds out when another node has taken the session over.
func (s *session) attend() {
	if !s.rt.opts.Shared {
		return
	}
	key, epoch := s.view.Owner()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unattend = s.rt.back.start(func(ctx context.Context) {
		if s.rt.inbox(ctx, key, epoch, func(store.Command) {}) {
			s.away(nil)
		}
	})
}

// away lets go of a session that another node has, or is to have. Its link ends with what tell says, by default as that of a session
// that moved.
func (s *session) away(tell func(*connection)) {
	s.mu.Lock()
	if s.owner.gone.Load() || s.left {
		s.mu.Unlock()
		s.rt.drop(s) // who else is at it may not have come that far: the caller must not find it again
		return
	}
	s.left = true
	if s.window != nil {
		s.window.Stop()
	}
	c := s.conn.Swap(nil)
	s.mu.Unlock()
	s.rt.drop(s)
	if s.unattend != nil {
		s.unattend()
	}
	if c != nil {
		if tell == nil {
			tell = func(c *connection) { c.moved(s) }
		}
		tell(c)
	}
	s.rt.seq.Abandon(s.view)
	s.rt.opts.Logger.Info("session is another node's now", "session", s.id)
}

// moved is the end of a link whose session is another node's now. If this node counts as dead, the other one has taken the session for
// that and not for a client: the client is to come back.
func (c *connection) moved(s *session) {
	if s.isOrphan() {
		c.link.Close("the runtime has lost its store")
		return
	}
	c.takenOver()
}

// isOrphan says whether the store counts this node as dead. Its lease may have run out a moment ago, so it is not enough to ask the node;
// no key is ever acquired from epoch 0.
func (s *session) isOrphan() bool {
	select {
	case <-s.rt.node.Lost():
		return true
	default:
	}
	key, _ := s.view.Owner()
	_, _, err := s.rt.store.Acquire(context.Background(), s.rt.node.ID(), key, 0)
	return errors.Is(err, store.ErrFenced)
}

// stale says whether the store has the session with another node, which this one has not noticed yet.
func (s *session) stale(ctx context.Context) bool {
	if !s.rt.opts.Shared {
		return false
	}
	key, epoch := s.view.Owner()
	head, err := s.rt.store.Lookup(ctx, key)
	return err == nil && head.Epoch != epoch
}

func (s *session) stopWindow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.window != nil {
		s.window.Stop()
	}
}
