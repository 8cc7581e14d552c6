package runtime

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// Provisioner mints short-lived credentials at some other service, each for one job (§9.8). Package pkg/runtime/provision has two of them.
// Its methods are called from any goroutine, and ctx bounds each call: one that goes on all the same delays nothing, and what it mints is
// revoked as soon as it returns.
//
// Before each call the runtime has written down what it is about to ask for. So whatever was minted is revoked, be it that the process is
// killed in the middle: by the handle, or, where that never arrived, by the request.
type Provisioner interface {
	// Issue mints what a job needs: nothing, one credential or several. The same request id again must not mint more, and gives the same
	// answer if that is still known.
	Issue(ctx context.Context, r *CredentialRequest) ([]Minted, error)
	// Rotate mints another value in place of one, under a request id of its own. The old one stays good until it is revoked.
	Rotate(ctx context.Context, r *CredentialRequest, old CredentialRef) (Minted, error)
	// Revoke ends one value, or all that a request has minted. It is called again until it succeeds, and succeeds where there is
	// nothing (any more). An error that is ErrUnrevocable says that trying again is no use.
	Revoke(ctx context.Context, ref CredentialRef) error
}

// ErrUnrevocable is in the error of a Provisioner that will never be able to revoke what it was asked to. Operators are told of it.
var ErrUnrevocable = errors.New("runtime: the credential cannot be revoked")

// CredentialRequest says for what credentials are minted, and what the service should hold them to (§9.8.3). It belongs to the Provisioner.
type CredentialRequest struct {
	ID        string // of this request: at most 64 letters, digits, '_' and '-'
	JobID     string
	Agent     string // name@version
	Principal string
	TraceID   string
	Lease     arcp.Lease

	Budget  arcp.Budget // what is left for the job of each currency that limits it; nil for no limit
	Models  []string    // the patterns of its model.use; empty when the job may use none, nil when it may use any
	Expires time.Time   // when its lease ends; zero for never
}

// Minted is a credential that a Provisioner has minted.
type Minted struct {
	// Handle is how the Provisioner calls this value when it is to revoke it. It is stored and logged, so it must be no secret; at most
	// 256 bytes. It may be empty if a request mints one value only.
	Handle   string
	Scheme   string      // how it is presented; empty means bearer
	Value    arcp.Secret // of at most 16 KiB; no other job may ever be given it
	Endpoint string      // the URL below which it may be used, an absolute one
	Profile  string      // what is spoken there; optional

	// What the service itself holds the credential to; zero fields are left to the gate.
	Budget  arcp.Budget
	Models  []string
	Expires time.Time
}

// CredentialRef names one value that was minted, or may have been.
type CredentialRef struct {
	Request    string // that minted it
	Credential string // the id that clients know it by, over all its values; empty while the request has no answer
	Generation int    // which value of the credential it is, from 1
	Handle     string // as in Minted; empty, too, where no answer is known: then all that Request has minted is meant
}

// The most that may be minted for a job.
const (
	maxHandle     = 256
	maxValue      = 16 << 10
	maxEndpoint   = 2 << 10
	maxConstraint = 16 << 10
	// credentialBytes bounds what all credentials of a job take in a frame.
	credentialBytes = 64 << 10
)

// credential makes of what was minted what clients and agents get.
func (m *Minted) credential(id string) (arcp.Credential, error) {
	c := arcp.Credential{ID: id, Scheme: m.Scheme, Value: m.Value, Endpoint: m.Endpoint, Profile: m.Profile}
	if c.Scheme == "" {
		c.Scheme = arcp.SchemeBearer
	}
	var err error
	if c.Constraints, err = m.constraints(); err != nil {
		return c, err
	}
	switch {
	case m.Value.IsZero(), len(m.Value.Reveal()) > maxValue:
		return c, errors.New("its value is empty or longer than 16 KiB")
	case len(m.Handle) > maxHandle:
		return c, errors.New("its handle is longer than 256 bytes")
	case len(m.Endpoint) > maxEndpoint, len(m.Profile) > maxHandle, len(c.Constraints) > maxConstraint:
		return c, errors.New("its endpoint, profile or constraints are too long")
	}
	if _, err := parseEndpoint(m.Endpoint); err != nil {
		return c, err
	}
	if strings.Contains(m.Handle+m.Endpoint+m.Profile+string(c.Constraints), m.Value.Reveal()) {
		return c, errors.New("its value is in what is not secret")
	}
	if _, err := c.AppendJSON(nil); err != nil {
		return c, err
	}
	return c, c.Validate()
}

// constraints is what a credential says of itself; nil for nothing.
func (m *Minted) constraints() (arcp.RawJSON, error) {
	all := map[string]any{}
	if len(m.Budget) > 0 {
		all[arcp.ConstraintBudget] = m.Budget.Entries()
	}
	if len(m.Models) > 0 {
		all[arcp.ConstraintModels] = m.Models
	}
	if !m.Expires.IsZero() {
		all[arcp.ConstraintExpiresAt] = m.Expires.UTC()
	}
	if len(all) == 0 {
		return nil, nil
	}
	text, err := dynjson.Marshal(all)
	return arcp.RawJSON(text), err
}

// parseEndpoint reads where a credential may be used.
func parseEndpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("its endpoint is no URL")
	case u.Scheme == "" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return nil, errors.New("its endpoint must be an absolute URL without user, query and fragment")
	case !plainPath(u):
		return nil, errors.New("the path of its endpoint is not in its plain form")
	}
	return u, nil
}
