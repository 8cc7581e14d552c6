package core

import (
	"slices"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// MintState is how far one value is that was minted upstream, or may have been. Values are stored.
type MintState string

// The states of a mint. One that is revoked is forgotten.
const (
	MintIntended    MintState = "intended" // asked for; there is no answer
	MintLive        MintState = "live"
	MintRevoking    MintState = "revoking"
	MintUnrevocable MintState = "unrevocable" // revoking it has failed for good, or too often; it is still tried now and then
)

// Mint is one value of a credential, or, while its ID is empty, all that a request may have minted.
type Mint struct {
	Request    string    `json:"request"`
	ID         string    `json:"id,omitempty"`
	Generation int       `json:"generation,omitempty"` // from 1
	Handle     string    `json:"handle,omitempty"`
	State      MintState `json:"state"`
	Asked      time.Time `json:"asked"`
	Unknown    bool      `json:"unknown,omitempty"` // whether it was minted

	tries  int           // failures to revoke it
	due    time.Duration // when to try next, on the monotonic clock
	trying bool
}

// Credentials decides the life of what is minted for one run of a job (§9.8.2): intended, then live, then revoked. Every answer of the
// provisioner leads to a state that knows whether the job is over, so that nothing outlives the job unless it is in the list of what is to be
// revoked.
type Credentials struct {
	Mints  []Mint
	over   bool
	settle time.Duration
}

// Made is what a provisioner answers of one credential.
type Made struct{ ID, Handle string }

// Revoking backs off from the first to the last of these; after so many failures a mint counts as unrevocable.
const (
	revokeFirst = time.Second
	revokeLast  = 10 * time.Minute
	revokeTries = 8
)

// NewCredentials returns a machine that has asked for the credentials of a job. What becomes of a request without an answer is certain after
// settle.
func NewCredentials(request string, now time.Time, settle time.Duration) Credentials {
	return Credentials{Mints: []Mint{{Request: request, State: MintIntended, Asked: now}}, settle: settle}
}

// CredentialsAt returns the machine of a run that is gone: all of it is to be revoked.
func CredentialsAt(mints []Mint, settle time.Duration) Credentials {
	c := Credentials{Mints: slices.Clone(mints), over: true, settle: settle}
	for i := range c.Mints {
		m := &c.Mints[i]
		m.Unknown = m.Unknown || m.State == MintIntended
		m.State = MintRevoking
	}
	return c
}

// Over says whether the job is over: nothing may be minted, and nothing shown.
func (c *Credentials) Over() bool { return c.over }

// Rotate says that a new value of a credential is asked for.
func (c *Credentials) Rotate(id, request string, now time.Time) *arcp.Error {
	generation := 0
	for i := range c.Mints {
		switch m := &c.Mints[i]; {
		case m.ID != id:
		case m.State == MintIntended:
			return arcp.NewError(arcp.CodeInvalidRequest, "the credential is being rotated already")
		case m.State == MintLive:
			generation = m.Generation
		}
	}
	switch {
	case c.over:
		return arcp.NewError(arcp.CodeInvalidRequest, "the job is over")
	case generation == 0:
		return arcp.NewError(arcp.CodeInvalidRequest, "the job has no such credential")
	}
	c.Mints = append(c.Mints, Mint{Request: request, ID: id, Generation: generation + 1, State: MintIntended, Asked: now})
	return nil
}

// Issued takes the answer to the request that minted the first values.
func (c *Credentials) Issued(request string, made []Made) {
	i := c.find(request)
	if i < 0 {
		return
	}
	asked := c.Mints[i].Asked
	c.Mints = slices.Delete(c.Mints, i, i+1)
	for _, one := range made {
		c.Mints = append(c.Mints, Mint{
			Request: request, ID: one.ID, Generation: 1, Handle: one.Handle, State: c.minted(), Asked: asked,
		})
	}
}

// Rotated takes the answer to a rotation: the value before is to be revoked.
func (c *Credentials) Rotated(request, handle string) {
	i := c.find(request)
	if i < 0 {
		return
	}
	m := &c.Mints[i]
	for k := range c.Mints {
		if old := &c.Mints[k]; old.ID == m.ID && old.State == MintLive {
			old.State = MintRevoking
		}
	}
	m.Handle, m.State = handle, c.minted()
}

func (c *Credentials) minted() MintState {
	if c.over {
		return MintRevoking
	}
	return MintLive
}

// Failed says that a request has no answer that can be used. It may have minted all the same.
func (c *Credentials) Failed(request string) {
	if i := c.find(request); i >= 0 {
		m := &c.Mints[i]
		m.State, m.Unknown = MintRevoking, true
	}
}

func (c *Credentials) find(request string) int {
	return slices.IndexFunc(c.Mints, func(m Mint) bool { return m.Request == request && m.State == MintIntended })
}

// End says that the job is over: all that is live is to be revoked. What is still being minted is once it is there.
func (c *Credentials) End() {
	c.over = true
	for i := range c.Mints {
		if m := &c.Mints[i]; m.State == MintLive {
			m.State = MintRevoking
		}
	}
}

// Due returns what is to be revoked now, and when to ask again, 0 when only something else can bring more. What is returned must be
// answered with Revoked or Unrevoked.
func (c *Credentials) Due(now time.Duration) (due []Mint, next time.Duration) {
	for i := range c.Mints {
		m := &c.Mints[i]
		switch {
		case !m.pending() || m.trying:
		case m.due <= now:
			m.trying = true
			due = append(due, *m)
		case next == 0 || m.due < next:
			next = m.due
		}
	}
	return due, next
}

func (m *Mint) pending() bool { return m.State == MintRevoking || m.State == MintUnrevocable }

// Revoked says that a mint is revoked. One of which nobody knows whether it was made is revoked again once that is certain: the request may
// be under way still.
func (c *Credentials) Revoked(of *Mint, wall time.Time, now time.Duration) {
	i := c.same(of)
	if i < 0 {
		return
	}
	m := &c.Mints[i]
	m.trying = false
	if left := m.Asked.Add(c.settle).Sub(wall); m.Unknown && left > 0 {
		m.tries, m.due = m.tries+1, now+min(left, c.settle)
		return
	}
	c.Mints = slices.Delete(c.Mints, i, i+1)
}

// Unrevoked says that revoking has failed, for good or for now. It is true when the mint counts as unrevocable from now on.
func (c *Credentials) Unrevoked(of *Mint, forGood bool, now time.Duration) bool {
	i := c.same(of)
	if i < 0 {
		return false
	}
	m := &c.Mints[i]
	m.trying = false
	m.tries++
	m.due = now + revokeLast
	if !forGood && m.tries < revokeTries {
		m.due = now + min(revokeLast, revokeFirst<<(m.tries-1))
		return false
	}
	was := m.State
	m.State = MintUnrevocable
	return was != MintUnrevocable
}

func (c *Credentials) same(of *Mint) int {
	return slices.IndexFunc(c.Mints, func(m Mint) bool {
		return m.Request == of.Request && m.ID == of.ID && m.Generation == of.Generation
	})
}

// Tried says whether everything that can be revoked was tried at least once.
func (c *Credentials) Tried() bool {
	return !slices.ContainsFunc(c.Mints, func(m Mint) bool { return m.pending() && m.tries == 0 })
}

// Revokes says whether something is to be revoked.
func (c *Credentials) Revokes() bool {
	return slices.ContainsFunc(c.Mints, func(m Mint) bool { return m.pending() })
}

// Done says that nothing is left, and nothing can come.
func (c *Credentials) Done() bool { return len(c.Mints) == 0 }

// MintCounts is how many mints are in which state.
type MintCounts struct{ Live, Pending, Unrevocable int64 }

// Count adds what there is to n. What is asked for counts as pending.
func (c *Credentials) Count(n *MintCounts) {
	for i := range c.Mints {
		switch c.Mints[i].State {
		case MintLive:
			n.Live++
		case MintUnrevocable:
			n.Unrevocable++
		default:
			n.Pending++
		}
	}
}
