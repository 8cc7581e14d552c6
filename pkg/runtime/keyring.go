package runtime

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// keyring is what was minted for one run of a job and is not revoked. It lives from the intent to the last revocation, however that relates
// to the life of the job, and under a key of its own in the store, which holds no value.
type keyring struct {
	rt    *Runtime
	key   store.Key
	epoch store.Epoch
	of    keyringOf

	saving sync.Mutex // puts the changes and their commits in one order
	saved  bool       // the store has it
	lost   bool       // it is another node's

	mu     sync.Mutex
	core   core.Credentials
	creds  []arcp.Credential // with their newest values, in the order they were minted in
	said   map[string]uint64 // the index of the newest event that tells of a value, by the credential's id
	values []arcp.Secret     // all there ever were
	kicked chan struct{}     // something is to be revoked
	reaper bool              // somebody revokes
	tried  chan struct{}     // closed when all that is to be revoked was tried; nil when nobody waits
}

// keyringOf is whose a keyring is. It is stored, too.
type keyringOf struct {
	Job       string `json:"job"`
	Agent     string `json:"agent"`
	Principal string `json:"principal"`
}

// minted is what the store has under the key of a keyring.
type minted struct {
	keyringOf
	Mints []core.Mint `json:"mints"`
}

// settle is how long a request may be under way that nobody waits for any more.
func (rt *Runtime) settle() time.Duration { return 2 * rt.opts.Limits.CredentialIssue }

// newKeyring writes down what is about to be asked for.
func (rt *Runtime) newKeyring(j *job, request string) (*keyring, error) {
	k := &keyring{
		rt: rt, key: store.Key{Kind: store.KindMint, ID: request}, epoch: 1,
		of:   keyringOf{Job: j.id, Agent: j.agent, Principal: j.principal},
		core: core.NewCredentials(request, time.Now().UTC(), rt.settle()), said: map[string]uint64{}, kicked: make(chan struct{}, 1),
	}
	text, err := k.text()
	if err == nil {
		err = rt.seq.Commit(&store.Op{Key: k.key, Create: true, Node: rt.node.ID(), Snapshot: text})
	}
	if err != nil {
		return nil, err
	}
	k.saved = true
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.keyrings[k] = struct{}{}
	return k, nil
}

// text is what the store gets.
func (k *keyring) text() ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return dynjson.Marshal(&minted{k.of, k.core.Mints})
}

// change does something with the machine, writes down what it led to, and has revoked what is to be.
func (k *keyring) change(do func(*core.Credentials)) error {
	k.saving.Lock()
	defer k.saving.Unlock()
	done, more := k.step(do)
	err := k.save(done)
	if more {
		k.reap()
	}
	return err
}

// step does something with the machine, and says whether nothing is left and whether something is to be revoked.
func (k *keyring) step(do func(*core.Credentials)) (done, revokes bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	do(&k.core)
	if k.tried != nil && k.core.Tried() {
		close(k.tried)
		k.tried = nil
	}
	return k.core.Done(), k.core.Revokes()
}

// save writes the state down, or removes it when nothing is left. The caller holds k.saving.
func (k *keyring) save(done bool) error {
	if !k.saved || k.lost {
		return nil
	}
	op := store.Op{Key: k.key, Epoch: k.epoch, Delete: done}
	if !done {
		var err error
		if op.Snapshot, err = k.text(); err != nil {
			return err
		}
	}
	err := k.rt.seq.Commit(&op)
	if errors.Is(err, store.ErrFenced) || errors.Is(err, store.ErrNotFound) {
		k.lost = true // who has it now revokes
	}
	if done && (err == nil || k.lost) {
		k.saved = false
		k.rt.mu.Lock()
		delete(k.rt.keyrings, k)
		if k.rt.reaped != nil && len(k.rt.keyrings) == 0 {
			close(k.rt.reaped)
			k.rt.reaped = nil
		}
		k.rt.mu.Unlock()
	}
	return err
}

// end says that the run is over: nothing is shown any more, and everything is revoked.
func (k *keyring) end() {
	_, more := k.step(func(c *core.Credentials) {
		c.End()
		k.creds = nil
	})
	if more { // what the store has says the same to whoever finds it
		k.reap()
	}
}

// settled waits until revoking everything was tried, for no longer than that may delay the end of a job.
func (k *keyring) settled(ctx context.Context) {
	k.mu.Lock()
	if k.core.Tried() {
		k.mu.Unlock()
		return
	}
	if k.tried == nil {
		k.tried = make(chan struct{})
	}
	tried := k.tried
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, k.rt.opts.Limits.CredentialRevoke)
	defer cancel()
	select {
	case <-tried:
	case <-ctx.Done():
	}
}

// current returns the credentials with their newest values; nil once the run is over.
func (k *keyring) current() []arcp.Credential {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.core.Over() {
		return nil
	}
	return append([]arcp.Credential(nil), k.creds...)
}

// valueAt returns the newest value of a credential, if the event at an index of the job's log is the newest that tells of one.
func (k *keyring) valueAt(id string, index uint64) (value arcp.Secret) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.core.Over() || k.said[id] != index {
		return value
	}
	for i := range k.creds {
		if k.creds[i].ID == id {
			value = k.creds[i].Value
		}
	}
	return value
}
