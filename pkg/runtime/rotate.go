package runtime

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
)

// Credentials returns what was minted for the job, with the newest values; nil when that is nothing, and once the job ends (§9.8). Each may be
// used at its own endpoint only: CredentialFor finds the one for a URL.
func (t *Task) Credentials() []arcp.Credential { return t.job.keys.Load().current() }

// RotateCredential has a new value minted for a credential of the job, tells the submitter of it by a credential_rotated, and has the old
// value revoked (§9.8.2). It returns the credential with its new value. Once the job ends it fails with ErrJobOver; an unknown id, and one
// that is being rotated, is INVALID_REQUEST. A lease that has ended and a budget with nothing left are refused as Authorize would: there is
// nothing that a new value could be good for. ctx bounds the minting, as the runtime's limit does.
func (t *Task) RotateCredential(ctx context.Context, id string) (arcp.Credential, error) {
	j := t.job
	k := j.keys.Load()
	if k == nil {
		return arcp.Credential{}, arcp.NewError(arcp.CodeInvalidRequest, "the job has no such credential")
	}
	refusal, err := t.gateOpen(ctx)
	if err := t.verdict(ctx, arcp.NamespaceCostBudget, id, refusal, err); err != nil {
		return arcp.Credential{}, err
	}
	request := arcp.NewID(arcp.PrefixMint)
	old, err := k.intend(id, request)
	if err != nil {
		return arcp.Credential{}, err
	}
	var c arcp.Credential
	r := j.credentialRequest(request)
	err = within(ctx, j.rt.opts.Limits.CredentialIssue, func(ctx context.Context) (err error) {
		c, err = k.rotate(ctx, j, r, old)
		return err
	})
	var plain *arcp.Error
	switch {
	case err == nil:
		return c, nil
	case k.over():
		return arcp.Credential{}, ErrJobOver
	case errors.As(k.clean(err), &plain):
		return arcp.Credential{}, plain
	}
	j.rt.opts.Logger.Error("credential cannot be rotated", "job", j.id, "agent", j.agent, "credential", id, "error", k.scrub(err))
	return arcp.Credential{}, arcp.NewError(arcp.CodeInternalError, "the credential could not be rotated")
}

// intend writes down that a new value is about to be asked for, and returns the one that is good now.
func (k *keyring) intend(id, request string) (old CredentialRef, err error) {
	k.mu.Lock()
	over := k.core.Over()
	k.mu.Unlock()
	if over {
		return old, ErrJobOver
	}
	var refusal *arcp.Error
	err = k.change(func(c *core.Credentials) {
		for i := range c.Mints {
			if m := &c.Mints[i]; m.ID == id && m.State == core.MintLive {
				old = refOf(m)
			}
		}
		refusal = c.Rotate(id, request, time.Now().UTC())
	})
	if refusal != nil {
		err = refusal
	}
	return old, err
}

// rotate asks for a new value and has it told. Whatever comes of it is in the machine when it returns.
func (k *keyring) rotate(ctx context.Context, j *job, r *CredentialRequest, old CredentialRef) (c arcp.Credential, err error) {
	request := r.ID
	var m Minted
	err = guard(func() (err error) {
		m, err = k.rt.opts.Provisioner.Rotate(ctx, r, old)
		return err
	})
	k.learn(m.Value)
	if err == nil {
		c, err = m.credential(old.Credential)
	}
	if err == nil {
		err = k.fits(c)
	}
	if err == nil {
		err = k.announce(ctx, j, c)
	}
	if err != nil {
		return c, errors.Join(err, k.change(func(c *core.Credentials) { c.Failed(request) }))
	}
	k.rt.count.minted.Add(1)
	err = k.change(func(c *core.Credentials) { c.Rotated(request, strings.Clone(m.Handle)) })
	if err == nil && k.over() {
		err = ErrJobOver
	}
	return c, err
}

func (k *keyring) over() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.core.Over()
}

// fits says whether the credentials go into one frame with a new one in place of the one before.
func (k *keyring) fits(c arcp.Credential) error {
	all := k.current()
	for i := range all {
		if all[i].ID == c.ID {
			all[i] = c
		}
	}
	return fit(all)
}

// announce puts a rotation into the job's log, without the value: whoever may see that gets it from memory.
func (k *keyring) announce(ctx context.Context, j *job, c arcp.Credential) error {
	ev := &arcp.JobEvent{Kind: arcp.KindStatus, TS: time.Now(), Body: &arcp.StatusBody{Phase: arcp.PhaseCredentialRotated, ID: c.ID}}
	return taskError(j.log.AppendNamed(ctx, ev, func(index uint64) {
		k.mu.Lock()
		defer k.mu.Unlock()
		for i := range k.creds {
			if k.creds[i].ID == c.ID {
				k.creds[i], k.said[c.ID] = c, index
			}
		}
	}))
}

// refOf is how a provisioner is told of a mint.
func refOf(m *core.Mint) CredentialRef {
	return CredentialRef{Request: m.Request, Credential: m.ID, Generation: m.Generation, Handle: m.Handle}
}
