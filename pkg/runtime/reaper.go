package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// reap has revoked what is to be. It does not wait.
func (k *keyring) reap() {
	k.mu.Lock()
	running := k.reaper
	k.reaper = true
	k.mu.Unlock()
	if !running {
		k.rt.back.start(k.revokeAll)
		return
	}
	select {
	case k.kicked <- struct{}{}:
	default:
	}
}

// revokeAll revokes until nothing is left to be, with pauses where that fails.
func (k *keyring) revokeAll(ctx context.Context) {
	for {
		k.mu.Lock()
		due, next := k.core.Due(k.rt.now())
		if len(due) == 0 && next == 0 {
			k.reaper = false
			k.mu.Unlock()
			return
		}
		k.mu.Unlock()
		if len(due) > 0 {
			var all sync.WaitGroup
			for i := range due {
				all.Go(func() { k.revoke(ctx, &due[i]) })
			}
			all.Wait()
			continue
		}
		pause := time.NewTimer(next - k.rt.now())
		select {
		case <-pause.C:
		case <-k.kicked:
		case <-ctx.Done():
			pause.Stop()
			return
		}
		pause.Stop()
	}
}

// errNoProvisioner says that a runtime without one has found what a former one minted.
var errNoProvisioner = fmt.Errorf("this runtime has no provisioner: %w", ErrUnrevocable)

// revoke revokes one value, once.
func (k *keyring) revoke(ctx context.Context, m *core.Mint) {
	p := k.rt.opts.Provisioner
	err := errNoProvisioner
	if p != nil {
		err = within(ctx, k.rt.opts.Limits.CredentialRevoke, func(ctx context.Context) error { return p.Revoke(ctx, refOf(m)) })
	}
	if err == nil {
		k.rt.count.revoked.Add(1)
		k.rt.audit(k.trail(m, auditRevoke))
		_ = k.change(func(c *core.Credentials) { c.Revoked(m, time.Now(), k.rt.now()) }) // else the next start revokes it again
		return
	}
	var given bool
	_, _ = k.step(func(c *core.Credentials) { given = c.Unrevoked(m, errors.Is(err, ErrUnrevocable), k.rt.now()) })
	args := []any{"job", k.of.Job, "agent", k.of.Agent, "credential", m.ID, "generation", m.Generation, "request", m.Request, "error", k.scrub(err)}
	if !given {
		k.rt.opts.Logger.Warn("credential is not revoked yet", args...)
		return
	}
	k.rt.opts.Logger.Error("credential cannot be revoked", args...)
	t := k.trail(m, auditUnrevocable)
	t.reason = k.scrub(err)
	k.rt.audit(t)
}

func (k *keyring) trail(m *core.Mint, action string) *trail {
	return &trail{action: action, principal: k.of.Principal, job: k.of.Job, agent: k.of.Agent, credential: m.ID, request: m.Request}
}

// sweepMint revokes what a run of a job that is gone had. The keyring is this node's from then on.
func (rt *Runtime) sweepMint(ctx context.Context, key store.Key, head store.Head) error {
	epoch, head, err := rt.store.Acquire(ctx, rt.node.ID(), key, head.Epoch)
	if err != nil {
		return err
	}
	var m minted
	if err := dynjson.Unmarshal(head.Snapshot, &m); err != nil {
		return fmt.Errorf("%w: snapshot of mint %s: %w", journal.ErrDamaged, key.ID, err)
	}
	k := &keyring{
		rt: rt, key: key, epoch: epoch, of: m.keyringOf, core: core.CredentialsAt(m.Mints, rt.settle()),
		said: map[string]uint64{}, kicked: make(chan struct{}, 1), saved: true,
	}
	rt.mu.Lock()
	rt.keyrings[k] = struct{}{}
	rt.mu.Unlock()
	rt.opts.Logger.Warn("credentials of a run that is gone are revoked", "job", m.Job, "agent", m.Agent, "request", key.ID)
	k.reap()
	return nil
}

// sweepMints revokes what runs of jobs that are gone had, and waits until that was tried: their jobs are about to end, or to run again.
func (rt *Runtime) sweepMints(ctx context.Context, keys []store.Key, heads map[store.Key]store.Head) error {
	if len(keys) == 0 {
		return nil
	}
	err := together(keys, func(key store.Key) error { return rt.takeOrphan(ctx, key, heads[key]) })
	var all sync.WaitGroup
	for _, k := range rt.mints() {
		all.Go(func() { k.settled(ctx) })
	}
	all.Wait()
	return err
}

// mints returns all keyrings.
func (rt *Runtime) mints() []*keyring {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	all := make([]*keyring, 0, len(rt.keyrings))
	for k := range rt.keyrings {
		all = append(all, k)
	}
	return all
}

// lastRevocations ends all keyrings, tries to revoke everything once and, where the store keeps nothing for a later runtime, goes on with that
// until ctx is done.
func (rt *Runtime) lastRevocations(ctx context.Context) {
	var all sync.WaitGroup
	for _, k := range rt.mints() {
		k.end()
		all.Go(func() { k.settled(context.WithoutCancel(ctx)) })
	}
	all.Wait()
	if rt.outlived() {
		return
	}
	rt.mu.Lock()
	left := len(rt.keyrings)
	reaped := make(chan struct{})
	rt.reaped = reaped
	rt.mu.Unlock()
	if left == 0 {
		return
	}
	select {
	case <-reaped:
		return
	case <-ctx.Done():
	}
	for _, k := range rt.mints() {
		rt.opts.Logger.Error("credentials are left that nobody will revoke", "job", k.of.Job, "agent", k.of.Agent, "request", k.key.ID)
	}
}

// countMints adds up what all keyrings hold.
func (rt *Runtime) countMints() (n core.MintCounts) {
	for _, k := range rt.mints() {
		k.mu.Lock()
		k.core.Count(&n)
		k.mu.Unlock()
	}
	return n
}
