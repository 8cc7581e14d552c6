package runtime

import (
	"context"
	"errors"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Principal is who a client turned out to be. Jobs belong to principals.
type Principal struct {
	ID      string    // never empty
	Scopes  []string  // what the verifier says it may do; carried, not interpreted
	Expires time.Time // when its sessions end; zero is never
}

// Verifier tells who presents a token (§6.1). Verify may be called from many goroutines; ctx ends with the handshake's deadline.
// An error refuses the client with UNAUTHENTICATED; its text is logged and never sent.
type Verifier interface {
	Verify(ctx context.Context, scheme, token string) (*Principal, error)
}

// VerifierFunc is a function as a Verifier.
type VerifierFunc func(ctx context.Context, scheme, token string) (*Principal, error)

// Verify calls f.
func (f VerifierFunc) Verify(ctx context.Context, scheme, token string) (*Principal, error) {
	return f(ctx, scheme, token)
}

// TokenHash is the SHA-256 of a token, all that StaticTokens keeps of it.
type TokenHash = arcp.TokenHash

// StaticTokens maps hashes of bearer tokens to principal ids. It must not be changed while in use.
type StaticTokens map[TokenHash]string

var (
	errScheme     = errors.New("the scheme is not enabled")
	errToken      = errors.New("no such token")
	errExpired    = errors.New("the principal has expired")
	errNoVerifier = errors.New("no verifier is set, and the peer is not on this machine or AllowAnyone is not set")
)

// Verify looks at every entry whether or not one matches, so its time tells nothing.
func (s StaticTokens) Verify(_ context.Context, scheme, token string) (*Principal, error) {
	if scheme != arcp.SchemeBearer {
		return nil, errScheme
	}
	hash, id := arcp.HashToken(token), ""
	for h, principal := range s {
		if h.Equal(hash) {
			id = principal
		}
	}
	if id == "" {
		return nil, errToken
	}
	return &Principal{ID: id}, nil
}

// anyone is the principal of every client when the operator asked for no authentication.
const anyone = "anyone"

type principalKey struct{}

// PrincipalFrom returns the principal whose job ctx belongs to, or "".
func PrincipalFrom(ctx context.Context) string {
	id, _ := ctx.Value(principalKey{}).(string)
	return id
}
