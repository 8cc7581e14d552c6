package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
)

// death says at which commit a server ends itself, or is told to end.
type death struct {
	kill  int // the commit of the SIGKILL
	after bool
	term  int // the commit of a SIGTERM before that; 0 is none
}

// String is the name of the folder.
func (d death) String() string { return fmt.Sprintf("sweep-%d-%d-%v", d.term, d.kill, d.after) }

func (d death) args() []string {
	return []string{"-kill-at", fmt.Sprint(d.kill), fmt.Sprintf("-after=%v", d.after), "-term-at", fmt.Sprint(d.term)}
}

// sweepCommits plays one conversation again and again. Each time the server ends itself one commit later, before that commit or after it, until a
// conversation comes to its end without. Every third time it ends itself at a commit of its next start as well. Then the same for the commits of
// a server that was told to end, early and late in the conversation.
func (p *plan) sweepCommits(ctx context.Context, total *tally) error {
	start, before := time.Now(), *total
	for _, first := range []death{{kill: 1}, {kill: 1, after: true}, {term: 9, kill: 10}, {term: 17, kill: 18}, {term: 25, kill: 26}} {
		for d := first; ; d.kill += p.sweep {
			died, err := p.sweepOnce(ctx, d, total)
			if err != nil || !total.ok() {
				return err
			}
			if !died {
				break
			}
		}
	}
	fmt.Fprintf(p.out, "sweep kills=%d jobs=%d events=%d (%v)\n", total.kills-before.kills, total.jobs-before.jobs, total.events-before.events,
		time.Since(start).Round(time.Millisecond))
	return nil
}

// sweepOnce plays the conversation with a server that dies as it is told, and says whether it did.
func (p *plan) sweepOnce(ctx context.Context, d death, total *tally) (died bool, err error) {
	dir := filepath.Join(p.dir, d.String())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	s := &server{dir: dir, args: []string{p.self, roleServer, "-data", filepath.Join(dir, "data")}}
	if err := s.start(append(d.args(), "-lies", fmt.Sprint(p.lies))...); err != nil {
		return false, err
	}
	spoken := make(chan error, 1)
	go func() { spoken <- p.converse(ctx, dir) }()
	kills, starts := 0, 0
	var wrong []string
	for over := false; !over; {
		select {
		case err := <-spoken:
			over = true
			if err != nil {
				wrong = append(wrong, fmt.Sprintf("the conversation: %v", err))
			}
		case <-s.proc.Gone():
			<-s.ready
			if s.proc.Err() != nil {
				kills++
			}
			if starts++; starts > 3 {
				return true, fmt.Errorf("%v: the server dies again and again: %w", d, s.proc.Err())
			}
			if err := s.start(nextDeath(d.kill, starts)...); err != nil {
				return true, err
			}
		}
	}
	s.kill() // it may have been about to, and the audit must not be its end
	if err := errors.Join(s.start(), s.await()); err != nil {
		return true, err
	}
	if err := audit(ctx, dir, finalName); err != nil {
		wrong = append(wrong, err.Error())
	}
	s.kill()
	return kills > 0, p.conclude(dir, kills+2, false, total, wrong...)
}

// nextDeath says when the process after a death is to die: now and then at one of its first commits, which take up what there is.
func nextDeath(n, starts int) []string {
	if n%3 == 0 && starts == 1 {
		return death{kill: 1 + n/3%6}.args()
	}
	return nil
}

// speaker is one client of the conversation.
type speaker struct {
	ctx context.Context
	s   *client.Session
	d   *diary
}

// converse is the conversation: two clients, jobs that may run again and one that may not, a cancel, a key used twice, a list, a reader who comes late.
func (p *plan) converse(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	a, err := speak(ctx, dir, "ada1")
	if err != nil {
		return err
	}
	defer part(ctx, a.s, a.d)
	b, err := speak(ctx, dir, "ada2")
	if err != nil {
		return err
	}
	defer part(ctx, b.s, b.d)
	jobs := map[string]*client.Job{}
	for _, key := range []string{"k1", "k2", "k3", "k1"} {
		job, err := a.submit(key)
		if err != nil {
			return err
		}
		if before := jobs[key]; before != nil && before.ID() != job.ID() {
			a.d.fault("the key %s had the job %s and has %s", key, before.ID(), job.ID())
		}
		jobs[key] = job
	}
	if err := jobs["k3"].Cancel(ctx, "for the test"); err != nil && !errors.Is(err, arcp.CodeInvalidRequest) {
		return fmt.Errorf("cancel: %w", err)
	}
	watched, err := again(ctx, isPassing, func() (*client.Job, error) {
		return b.s.Subscribe(ctx, jobs["k1"].ID(), &client.SubscribeOptions{History: true})
	})
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if _, err := again(ctx, isPassing, func() (n int, err error) {
		for _, err = range b.s.Jobs(ctx, nil) {
			n++
		}
		return n, err
	}); err != nil {
		return fmt.Errorf("list: %w", err)
	}
	for i, job := range []*client.Job{jobs["k1"], jobs["k2"], jobs["k3"]} {
		if err := a.read(job, i); err != nil {
			return fmt.Errorf("read: %w", err)
		}
	}
	if err := b.read(watched, 0); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}

func speak(ctx context.Context, dir, name string) (*speaker, error) {
	d, err := openDiary(dir, name, 0)
	if err != nil {
		return nil, err
	}
	s, err := again(ctx, isAway, func() (*client.Session, error) {
		return client.Connect(ctx, &tap{dir: dir, diary: d}, &client.Options{
			Name: name, Token: tokenOf("ada"),
			Reconnect: &client.Reconnect{Initial: 2 * time.Millisecond, Max: 20 * time.Millisecond, GiveUp: patience},
		})
	})
	return &speaker{ctx, s, d}, err
}

// again tries until an error is not one that a restart excuses.
func again[T any](ctx context.Context, excused func(error) bool, try func() (T, error)) (T, error) {
	for {
		v, err := try()
		if err == nil || ctx.Err() != nil || !excused(err) {
			return v, err
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// isAway says whether an error is that of a connection which could not be made.
func isAway(err error) bool { return !arcp.IsRemote(err) || isPassing(err) }

func (s *speaker) submit(key string) (*client.Job, error) {
	w := work{Events: 4, GapMS: 3, Tag: key}
	agent := agentAgain
	switch key {
	case "k2":
		agent = agentOnce
	case "k3":
		w.Events = 1000
	}
	job, err := again(s.ctx, isPassing, func() (*client.Job, error) {
		return s.s.Submit(s.ctx, &arcp.JobSubmit{Agent: agent, Input: w.input(), IdempotencyKey: key})
	})
	if err != nil {
		return nil, fmt.Errorf("submit %s: %w", key, err)
	}
	return job, nil
}

func (s *speaker) read(job *client.Job, stream int) error {
	for ev, err := range job.Events(s.ctx) {
		if err != nil {
			return err
		}
		if index := indexIn(ev.ID); index > 0 {
			s.d.note(entry{Read: &reading{job.ID(), index, stream, false, digest(ev.Body)}})
		}
	}
	_, _ = job.Result(s.ctx)
	s.d.note(entry{Ended: &ending{job.ID(), string(job.Status())}})
	return nil
}
