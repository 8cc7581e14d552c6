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
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// agentMints begins the names of the agents that have a credential and rotate it: one that may run again, and one that may not.
const agentMints = "mints"

// sweepMints has a job mint a key, rotate it and end, again and again. Each time the server ends itself one commit later, before it or after it: so at
// each step between an intent, what the gateway does, and the record of that. In the end no key may be good.
func (p *plan) sweepMints(ctx context.Context, total *tally) error {
	start, kills := time.Now(), total.kills
	for _, after := range []bool{false, true} {
		for d := (death{kill: 1, after: after}); ; d.kill += p.sweep {
			died, err := p.mintOnce(ctx, d, total)
			if err != nil || !total.ok() {
				return err
			}
			if !died {
				break
			}
		}
	}
	fmt.Fprintf(p.out, "mints kills=%d minted=%d dangling=%d (%v)\n", total.kills-kills, total.minted, total.dangling, time.Since(start).Round(time.Millisecond))
	return nil
}

// mintOnce does that once, and says whether the server died.
func (p *plan) mintOnce(ctx context.Context, d death, total *tally) (died bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	g, err := newGateway(ctx)
	if err != nil {
		return false, err
	}
	dir := filepath.Join(p.dir, "mints-"+d.String())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	s := &server{dir: dir, args: []string{p.self, roleServer, "-data", filepath.Join(dir, "data"), "-gateway", g.url}}
	if err := s.start(append(d.args(), fmt.Sprintf("-leaves=%v", p.leaves))...); err != nil {
		return false, err
	}
	spoken := make(chan error, 1)
	go func() { spoken <- mintAndUse(ctx, dir) }()
	kills := 0
	for over := false; !over; {
		select {
		case err = <-spoken:
			over = true
		case <-s.proc.Gone():
			<-s.ready
			if kills++; kills > 3 {
				return true, fmt.Errorf("%v: the server dies again and again: %w", d, s.proc.Err())
			}
			if err := s.start(nextDeath(d.kill, kills)...); err != nil {
				return true, err
			}
		}
	}
	s.kill()
	if err := errors.Join(err, s.start(), s.await()); err != nil {
		return true, err
	}
	live, minted := g.left()
	s.kill()
	total.kills += kills + 2
	total.minted += minted
	if total.dangling += len(live); len(live) > 0 {
		fmt.Fprintf(p.out, "%v: keys are good without a job: %v\n", d, live)
		return kills > 0, nil
	}
	if !p.keep {
		err = os.RemoveAll(dir)
	}
	return kills > 0, err
}

// mintAndUse submits a job that may run again and one that may not, and waits until both have ended, however.
func mintAndUse(ctx context.Context, dir string) error {
	dialer := transport.DialerFunc(func(ctx context.Context) (transport.Conn, error) {
		url, err := os.ReadFile(filepath.Join(dir, addressFile))
		if err != nil {
			return nil, err
		}
		return (&ws.Dialer{URL: string(url), Subprotocol: arcp.Subprotocol}).Dial(ctx)
	})
	s, err := again(ctx, isAway, func() (*client.Session, error) {
		return client.Connect(ctx, dialer, &client.Options{
			Name: "mints", Token: tokenOf("ada"), Features: arcp.Features(),
			Reconnect: &client.Reconnect{Initial: 2 * time.Millisecond, Max: 20 * time.Millisecond, GiveUp: patience},
		})
	})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close(context.WithoutCancel(ctx)) }()
	for _, agent := range []string{agentMints + agentAgain, agentMints + agentOnce} {
		job, err := again(ctx, isPassing, func() (*client.Job, error) {
			return s.Submit(ctx, &arcp.JobSubmit{Agent: agent, IdempotencyKey: agent})
		})
		if err != nil {
			return fmt.Errorf("submit %s: %w", agent, err)
		}
		_, _ = job.Result(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("job of %s: %w", agent, context.Cause(ctx))
		}
	}
	return nil
}
