package provision

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// Memory mints credentials that no service knows, and remembers all of them: for tests and examples. The zero value mints one credential a
// job for https://gateway.invalid/v1. Its methods may be called from any goroutine; its fields are set before the first use.
type Memory struct {
	// Endpoint is where its credentials may be used.
	Endpoint string
	// Profile is what they say is spoken there.
	Profile string
	// Count is how many a job gets; 0 is one, and below 0 none.
	Count int

	mu      sync.Mutex
	values  []Value
	revoked map[string]bool // requests, which mint nothing any more
}

// Value is one that Memory has minted.
type Value struct {
	Request runtime.CredentialRequest
	Handle  string
	Value   arcp.Secret
	Rotated string // the handle of the value it came in place of; empty for a first one
	Revoked bool
}

var _ runtime.Provisioner = (*Memory)(nil)

// Issue mints the credentials of a job.
func (m *Memory) Issue(ctx context.Context, r *runtime.CredentialRequest) ([]runtime.Minted, error) {
	n := max(m.Count, 0)
	if m.Count == 0 {
		n = 1
	}
	return m.mint(ctx, r, n, "")
}

// Rotate mints another value for a credential.
func (m *Memory) Rotate(ctx context.Context, r *runtime.CredentialRequest, old runtime.CredentialRef) (runtime.Minted, error) {
	minted, err := m.mint(ctx, r, 1, old.Handle)
	if err != nil {
		return runtime.Minted{}, err
	}
	return minted[0], nil
}

func (m *Memory) mint(ctx context.Context, r *runtime.CredentialRequest, n int, old string) ([]runtime.Minted, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.revoked[r.ID] {
		return nil, fmt.Errorf("provision: request %s is revoked", r.ID)
	}
	var all []runtime.Minted
	for i := range n {
		handle := r.ID + "-" + strconv.Itoa(i+1)
		k := slices.IndexFunc(m.values, func(v Value) bool { return v.Handle == handle })
		if k < 0 {
			k = len(m.values)
			token := arcp.NewToken()
			m.values = append(m.values, Value{Request: *r, Handle: handle, Value: arcp.MakeSecret("sk-virt-" + token.Reveal()), Rotated: old})
		}
		all = append(all, runtime.Minted{
			Handle: handle, Value: m.values[k].Value, Endpoint: m.endpoint(), Profile: m.Profile, Budget: r.Budget, Models: r.Models, Expires: r.Expires,
		})
	}
	return all, nil
}

func (m *Memory) endpoint() string {
	if m.Endpoint == "" {
		return "https://gateway.invalid/v1"
	}
	return m.Endpoint
}

// Revoke ends a value, or what a request has minted and would.
func (m *Memory) Revoke(ctx context.Context, ref runtime.CredentialRef) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if ref.Handle == "" {
		if m.revoked == nil {
			m.revoked = map[string]bool{}
		}
		m.revoked[ref.Request] = true
	}
	for i := range m.values {
		if v := &m.values[i]; v.Handle == ref.Handle || ref.Handle == "" && v.Request.ID == ref.Request {
			v.Revoked = true
		}
	}
	return nil
}

// Values returns all that was ever minted, in order.
func (m *Memory) Values() []Value {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.values)
}

// Live returns what is good now.
func (m *Memory) Live() []Value {
	return slices.DeleteFunc(m.Values(), func(v Value) bool {
		return v.Revoked || !v.Request.Expires.IsZero() && !time.Now().Before(v.Request.Expires)
	})
}
