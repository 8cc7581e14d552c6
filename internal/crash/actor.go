package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
)

// actor is one life of a client: it goes on where the life before was killed, does what its seed says, and in the end reads everything
// that is its own.
type actor struct {
	dir, name, principal string
	life                 int
	made                 int  // what this life has done so far
	lossy                bool // the runtime forgets the beginnings of logs

	diary   *diary
	tap     *tap
	mem     *memory
	session *client.Session
	cold    bool // an earlier session of this client was not to be had

	mu      sync.Mutex
	reading map[string]*client.Job
	readers sync.WaitGroup
	streams atomic.Int64
}

// patience is how long anything may take before it counts as lost: many times what the slowest restart takes.
const patience = 60 * time.Second

func playActor(args []string, stdin io.Reader, stderr io.Writer) error {
	a := &actor{reading: map[string]*client.Job{}}
	f := flag.NewFlagSet(roleClient, flag.ContinueOnError)
	f.SetOutput(stderr)
	seed := f.Uint64("seed", 1, "what it does")
	f.StringVar(&a.dir, "dir", "", "folder of the round")
	f.StringVar(&a.name, "name", "", "of the client")
	f.StringVar(&a.principal, "principal", "", "of the client")
	f.BoolVar(&a.lossy, "lossy", false, "logs may have lost their beginnings")
	if err := f.Parse(args); err != nil {
		return err
	}
	finish := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		close(finish)
	}()
	return a.live(rand.New(rand.NewPCG(*seed, 1)), finish)
}

// live plays the life. Until finish is closed there is always something more to do.
func (a *actor) live(rng *rand.Rand, finish <-chan struct{}) error {
	a.life = lives(a.dir, a.name)
	var err error
	if a.mem, err = remember(a.dir, a.name); err != nil {
		return err
	}
	if a.diary, err = openDiary(a.dir, a.name, a.life); err != nil {
		return err
	}
	a.tap = &tap{dir: a.dir, diary: a.diary, welcomed: make(chan struct{}, 1)}
	for {
		if over, err := a.sit(rng, finish); over {
			return err
		}
	}
}

// sit is one session from its beginning, or from where it was left, to its end. It is not over when the runtime forgot, as it may where it
// keeps little, what the client had yet to see.
func (a *actor) sit(rng *rand.Rand, finish <-chan struct{}) (over bool, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if a.session, err = a.open(ctx, rng); err != nil {
		a.diary.fault("no session: %v", err)
		return true, err
	}
	for session := range a.mem.before {
		a.cold = a.cold || session != a.session.ID()
	}
	var saver sync.WaitGroup
	saver.Go(func() { a.save(ctx) })
	go a.goOn(ctx)
	a.act(ctx, rng, finish)
	a.windUp(ctx)
	if a.lossy && errors.Is(a.session.Err(), client.ErrSessionExpired) {
		a.readers.Wait()
		cancel()
		saver.Wait()
		a.forget(a.session.ID())
		return false, nil
	}
	return true, a.leave(ctx)
}

// forget notes a session that is no more.
func (a *actor) forget(session string) {
	a.diary.note(entry{Expired: session})
	a.cold = true
	_ = os.Remove(a.statePath())
}

// open goes on with the session that the life before had, or begins one.
func (a *actor) open(ctx context.Context, rng *rand.Rand) (*client.Session, error) {
	o := &client.Options{
		Name: a.name, Token: tokenOf(a.principal), HandshakeTimeout: 10 * time.Second,
		Reconnect: &client.Reconnect{Initial: 5 * time.Millisecond, Max: 80 * time.Millisecond, GiveUp: patience},
	}
	if rng.IntN(3) == 0 {
		o.EventBytes = 64 << 10 // falls behind and fetches
	}
	var err error
	for start := time.Now(); time.Since(start) < patience; time.Sleep(10 * time.Millisecond) {
		var s *client.Session
		if s, err = a.connect(ctx, o); err == nil {
			return s, nil
		}
		if errors.Is(err, client.ErrSessionExpired) {
			a.forget(a.stateText().SessionID())
		}
	}
	return nil, err
}

func (a *actor) connect(ctx context.Context, o *client.Options) (*client.Session, error) {
	if state := a.stateText(); state.SessionID() != "" {
		return client.Resume(ctx, a.tap, state, o)
	}
	return client.Connect(ctx, a.tap, o)
}

func (a *actor) statePath() string { return filepath.Join(a.dir, a.name+".state") }

// stateText is the state that was kept last; one without a session when there is none.
func (a *actor) stateText() (state client.State) {
	if text, err := os.ReadFile(a.statePath()); err == nil {
		if err := state.UnmarshalBinary(text); err != nil {
			a.diary.fault("the state that was kept: %v", err)
		}
	}
	return state
}

// save keeps the session's state, at every welcome and every now and then.
func (a *actor) save(ctx context.Context) {
	every := time.NewTicker(30 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-a.tap.welcomed:
		case <-ctx.Done():
			return
		}
		text, err := a.session.State().MarshalBinary()
		if err == nil {
			err = replaceFile(a.statePath(), text)
		}
		if err != nil {
			a.diary.fault("the state cannot be kept: %v", err)
			return
		}
	}
}

// goOn takes up what the lives before left.
func (a *actor) goOn(ctx context.Context) {
	submits, jobs := a.mem.open()
	for i := range submits {
		a.submit(ctx, &submits[i])
	}
	for _, id := range jobs {
		a.attach(ctx, id)
	}
}

// windUp sees to it that every submit has its job and every job its end.
func (a *actor) windUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		a.readers.Wait()
		submits, jobs := a.mem.open()
		if len(submits)+len(jobs) == 0 {
			return
		}
		if a.lossy && a.session.Err() != nil {
			return
		}
		if ctx.Err() != nil || a.session.Err() != nil {
			a.diary.fault("no end: submits %d, jobs %q, session %v", len(submits), jobs, a.session.Err())
			return
		}
		a.goOn(ctx)
		time.Sleep(5 * time.Millisecond)
	}
}

// leave says goodbye. A session that ended before is a fault: none may be lost.
func (a *actor) leave(ctx context.Context) error {
	if err := a.session.Err(); err != nil {
		a.diary.fault("the session ended: %v", err)
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_ = a.session.Close(ctx)
	return nil
}

// attach reads a job of this client on.
func (a *actor) attach(ctx context.Context, id string) {
	job, err := a.session.Attach(ctx, id)
	switch {
	case err == nil:
		a.follow(ctx, job, false)
	case a.lossy && firstKept(err) > 1:
		a.pass(id, firstKept(err)-1)
		if job, err = a.session.Subscribe(ctx, id, &client.SubscribeOptions{History: true, From: firstKept(err) - 1}); err == nil {
			a.follow(ctx, job, true)
		}
	default:
		a.refused("attach to "+id, err)
	}
}

// refused notes a refusal that nothing explains. That the session is over is said once, by leave.
func (a *actor) refused(what string, err error) {
	if isPassing(err) || errors.Is(err, client.ErrSessionExpired) || errors.Is(err, client.ErrLinkLost) {
		return
	}
	a.diary.fault("%s: %v", what, err)
}

// isPassing says whether an error is one of those that a restart excuses: they ask to try again.
func isPassing(err error) bool {
	var e *arcp.Error
	return errors.As(err, &e) && e.Retryable || errors.Is(err, context.Canceled) || errors.Is(err, client.ErrUnsubscribed)
}
