package runtime

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
)

// credentialRequest says what a job may be given credentials for, as of now.
func (j *job) credentialRequest(id string) *CredentialRequest {
	r := &CredentialRequest{
		ID: id, JobID: j.id, Agent: j.agent, Principal: j.principal, TraceID: j.trace, Lease: j.grant.lease.Clone(),
		Budget: j.grant.purse.remaining(),
	}
	if !j.rt.opts.AnyModel || r.Lease.Has(arcp.NamespaceModelUse) {
		r.Models = append([]string{}, r.Lease[arcp.NamespaceModelUse]...) // none where none is named, as at the gate
	}
	if lc := j.grant.constraints; lc != nil {
		r.Expires = lc.ExpiresAt
	}
	return r
}

// provision mints what the job needs, and makes the job wait with its end for the revocation. Ids are those of credentials that an earlier
// run of the job had; the new ones take their place.
func (j *job) provision(ctx context.Context, ids []string) *arcp.Error {
	failed := arcp.NewError(arcp.CodeInternalError, "the credentials of the job could not be minted")
	request := arcp.NewID(arcp.PrefixMint)
	k, err := j.rt.newKeyring(j, request)
	if err != nil {
		j.rt.storeError("minting cannot be recorded", err, "job", j.id)
		return failed
	}
	r := j.credentialRequest(request)
	err = within(ctx, j.rt.opts.Limits.CredentialIssue, func(ctx context.Context) error { return k.issue(ctx, r, ids) })
	if err == nil {
		if len(k.current()) == 0 {
			return nil
		}
		j.mu.Lock()
		joined := j.core.Join()
		j.mu.Unlock()
		if joined {
			j.keys.Store(k)
			return nil
		}
		err = ErrJobOver
	}
	k.end()
	j.rt.opts.Logger.Error("credentials cannot be minted", "job", j.id, "agent", j.agent, "request", request, "error", k.scrub(err))
	if errors.Is(err, arcp.CodeBudgetExhausted) { // which asking again does not change
		return arcp.NewError(arcp.CodeBudgetExhausted, "the provisioner says that nothing is left of the budget")
	}
	return failed
}

// errLate says that a provisioner has not answered in time.
var errLate = errors.New("the provisioner did not answer in time")

// within calls do and waits for it, for no longer than ctx and a limit allow. What do does after that is for itself to see to.
func within(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errLate)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- guard(func() error { return do(ctx) }) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// guard makes an error of a panic.
func guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}

// issue asks for the first values. Whatever comes of it, be it after nobody waits any more, is in the machine when it returns.
func (k *keyring) issue(ctx context.Context, r *CredentialRequest, ids []string) error {
	request := r.ID
	var list []Minted
	err := guard(func() (err error) {
		list, err = k.rt.opts.Provisioner.Issue(ctx, r)
		return err
	})
	var creds []arcp.Credential
	var made []core.Made
	for i := range list {
		k.learn(list[i].Value)
		id := arcp.NewID(arcp.PrefixCredential)
		if i < len(ids) {
			id = ids[i]
		}
		c, e := list[i].credential(id)
		if err == nil && e != nil {
			err = fmt.Errorf("what was minted cannot be used: %w", e)
		}
		creds, made = append(creds, c), append(made, core.Made{ID: id, Handle: strings.Clone(list[i].Handle)})
	}
	if err == nil {
		err = fit(creds)
	}
	if err != nil {
		return errors.Join(err, k.change(func(c *core.Credentials) { c.Failed(request) }))
	}
	k.rt.count.minted.Add(uint64(len(creds)))
	return k.change(func(c *core.Credentials) {
		c.Issued(request, made)
		k.creds = creds
	})
}

// fit says whether credentials go into one frame.
func fit(creds []arcp.Credential) error {
	size := 0
	for i := range creds {
		text, err := creds[i].AppendJSON(nil)
		if err != nil {
			return err
		}
		size += len(text) + 1
	}
	if size > credentialBytes {
		return errors.New("the credentials of the job take more than 64 KiB together")
	}
	return nil
}

// learn notes a value that must not be in any text. Values of one or two letters are no secrets.
func (k *keyring) learn(s arcp.Secret) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(s.Reveal()) > 2 {
		k.values = append(k.values, s)
	}
}

// scrub returns the text of an error without the values that a provisioner may have put there.
func (k *keyring) scrub(err error) string {
	text := err.Error()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, v := range k.values {
		text = strings.ReplaceAll(text, v.Reveal(), v.String())
	}
	return text
}

// clean returns an error of an agent, a tool or a provisioner as everybody may read it: as it is, unless a value is in its text, as in that of
// a service which repeats the key it refuses.
func (k *keyring) clean(err error) error {
	if k == nil || err == nil {
		return err
	}
	text := k.scrub(err)
	var chosen *arcp.Error
	switch {
	case text == err.Error():
		return err
	case errors.As(err, &chosen):
		return arcp.NewError(chosen.Code, "%s", k.scrub(errors.New(chosen.Message)))
	}
	return errors.New(text)
}

// provisionAgain mints anew what the run before had, which was revoked, and tells the submitter of the new values.
func (j *job) provisionAgain(ctx context.Context) error {
	if len(j.had) == 0 {
		return nil
	}
	if j.rt.opts.Provisioner == nil {
		return arcp.NewError(arcp.CodeInternalError, "the credentials of the job could not be minted again")
	}
	if refusal := j.provision(ctx, j.had); refusal != nil {
		return refusal
	}
	k := j.keys.Load()
	for i, c := range k.current() {
		if i < len(j.had) {
			if err := k.announce(ctx, j, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// credentialIDs returns the ids of the credentials of the job, for a run after this one.
func (j *job) credentialIDs() []string {
	k := j.keys.Load()
	if k == nil {
		return j.had
	}
	var ids []string
	for _, c := range k.current() {
		ids = append(ids, c.ID)
	}
	return ids
}

// revoke has the credentials revoked of a job that is about to end. The end waits until that was tried.
func (j *job) revoke() {
	k := j.keys.Load()
	if k == nil {
		return
	}
	k.end()
	go func() {
		k.settled(context.Background())
		j.step(func() core.JobEffects { return j.core.Part() })
	}()
}
