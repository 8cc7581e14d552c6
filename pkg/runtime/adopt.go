package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// adoption is how a session of another node comes to this one.
type adoption struct {
	id    string
	after uint64      // the client has all up to this number
	epoch store.Epoch // the only one to take it from; 0 is any
	check func(*kept, journal.Coverage) *arcp.Error
}

// adoptFor fetches a session for a client that resumes it here. What is refused looks as it does on the session's own node.
func (rt *Runtime) adoptFor(ctx context.Context, who *Principal, cl *claim, hash arcp.TokenHash) (*session, *arcp.Error) {
	if !rt.opts.Shared || cl.session == "" {
		return nil, errResume()
	}
	s, err := rt.adopt(ctx, &adoption{id: cl.session, after: cl.last, check: func(k *kept, c journal.Coverage) *arcp.Error {
		ours := false
		for _, t := range k.Tokens {
			if t.Equal(hash) {
				ours = true
			}
		}
		switch {
		case k.Principal != who.ID, !ours, c == journal.TooOld:
			return errResume()
		case c == journal.TooNew:
			return errTooNew()
		}
		return nil
	}})
	var refusal *arcp.Error
	switch {
	case err == nil:
		return s, nil
	case errors.As(err, &refusal):
		return nil, refusal
	case errors.Is(err, store.ErrNotFound):
		return nil, errResume()
	case !errors.Is(err, store.ErrConflict):
		rt.opts.Logger.Error("session cannot be taken over", "session", cl.session, "error", err)
	}
	return nil, errAway
}

// adopt makes a session of another node one of this. It takes nothing from that node unless all is in order.
func (rt *Runtime) adopt(ctx context.Context, a *adoption) (s *session, err error) {
	defer rt.adopting.lock(a.id)()
	if s := rt.find(a.id, arcp.TokenHash{}); s != nil {
		return s, nil
	}
	for range resumeTries {
		if s, err = rt.tryAdopt(ctx, a); !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	return s, err
}

func (rt *Runtime) tryAdopt(ctx context.Context, a *adoption) (*session, error) {
	key := store.Key{Kind: store.KindSession, ID: a.id}
	head, err := rt.store.Lookup(ctx, key)
	if err == nil && a.epoch != 0 && head.Epoch != a.epoch {
		err = errAway
	}
	if err != nil {
		return nil, err
	}
	fold := journal.NewFold(a.id)
	_, l, err := rt.unfold(ctx, a, fold, head.Snapshot)
	if err != nil {
		return nil, err
	}
	if rt.full() { // said to whom the session belongs only
		l.done()
		return nil, arcp.NewError(arcp.CodeRateLimited, "no session can be opened now")
	}
	epoch, head, err := rt.store.Acquire(ctx, rt.node.ID(), key, head.Epoch)
	if err != nil {
		l.done()
		return nil, err
	}
	l.done()
	// What its node did until the moment it lost the session counts.
	k, l, err := rt.unfold(ctx, &adoption{id: a.id, after: a.after}, fold, head.Snapshot)
	if err != nil {
		return nil, err
	}
	defer l.done()
	s := rt.newAdopted(a, k, fold, l, epoch)
	if k.Parked != nil && s.remains(*k.Parked) == minLeft {
		s.expire()
		return nil, store.ErrNotFound
	}
	return s, nil
}

// unfold reads a session from the store as far as it goes. Without an error, l.done must be called.
func (rt *Runtime) unfold(ctx context.Context, a *adoption, f *journal.Fold, snapshot []byte) (*kept, *loans, error) {
	k := &kept{}
	err := dynjson.Unmarshal(snapshot, k)
	if err == nil && len(k.Tokens) == 0 {
		err = errors.New("it has no token")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: snapshot of session %s: %w", journal.ErrDamaged, a.id, err)
	}
	if a.check != nil { // before anything is loaded for one who may not have it
		if refusal := a.check(k, journal.Covered); refusal != nil {
			return nil, nil, refusal
		}
	}
	if err := f.Read(ctx, rt.store); err != nil {
		return nil, nil, err
	}
	l, err := rt.lend(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	if a.check != nil {
		if refusal := a.check(k, f.Covers(a.after, l.logs)); refusal != nil {
			l.done()
			return nil, nil, refusal
		}
	}
	return k, l, nil
}

// loans is borrowed jobs, read as far as they go.
type loans struct {
	jobs map[string]*job
	logs map[string]*journal.Log
	back []func()
}

func (l *loans) done() {
	for _, f := range l.back {
		f()
	}
	l.back = nil
}

// lend borrows jobs; those that are forgotten are left out.
func (rt *Runtime) lend(ctx context.Context, f *journal.Fold) (*loans, error) {
	l := &loans{jobs: map[string]*job{}, logs: map[string]*journal.Log{}}
	given := f.Seen()
	for _, id := range f.Jobs() {
		j, done := rt.borrow(ctx, id)
		l.back = append(l.back, done)
		if j == nil {
			continue
		}
		var err error
		seen, live := given[id]
		switch {
		case j.remote.Load():
			err = j.log.Load(ctx, j.alt)
		case live && seen < j.log.Committed(): // what was numbered is read when it is written
			if err = j.log.Fetch(ctx); err == nil {
				j.log.Substitute(j.alt)
			}
		}
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			l.done()
			return nil, err
		}
		l.jobs[id], l.logs[id] = j, j.log
	}
	return l, nil
}

// newAdopted lists an acquired session as parked, with its window running.
func (rt *Runtime) newAdopted(a *adoption, k *kept, f *journal.Fold, l *loans, epoch store.Epoch) *session {
	s := &session{
		rt: rt, id: a.id, principal: k.Principal, features: k.Features, current: k.Tokens[0],
		observed: map[string]*subscription{}, adopted: map[string]*job{},
	}
	if len(k.Tokens) > 1 {
		s.previous = &k.Tokens[1]
	}
	rt.mu.Lock()
	s.owner = rt.ownerOf(a.id)
	rt.mu.Unlock()
	accepted := map[string][]byte{}
	for _, id := range f.Live() {
		j := l.jobs[id]
		switch {
		case j == nil:
		case j.submittedIn(a.id):
			accepted[id] = j.acceptedFrame()
			j.recount()
		case slices.Contains(k.Adopted, id):
			s.adopted[id] = j
		default:
			s.observeAgain(j)
		}
	}
	s.view = rt.seq.Adopt(f, epoch, journal.GatesOf(k.Features), a.after, l.logs, accepted)
	rt.admitSession(s)
	s.mu.Lock()
	if k.Parked != nil {
		s.wait(*k.Parked)
	} else {
		s.wait(time.Now())
		s.noteParked()
	}
	s.mu.Unlock()
	rt.opts.Logger.Info("session taken over", "session", s.id)
	return s
}

// recount makes a job count as its owner's unfinished one unless it has ended.
func (j *job) recount() {
	if !j.hasEnded() {
		j.count()
		if j.hasEnded() {
			j.uncount()
		}
	}
}

// hasEnded says whether the job's terminal is written, wherever it runs.
func (j *job) hasEnded() bool {
	if !j.remote.Load() {
		return j.over.Load()
	}
	_, _, _, over := j.log.Terminal()
	return over
}
