package runtime

import (
	"context"
	"slices"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// built is what this runtime can do; nothing else is advertised (§6.2).
var built = [...]arcp.Feature{
	arcp.FeatureHeartbeat, arcp.FeatureProgress, arcp.FeatureResultChunk, arcp.FeatureAgentVersions,
}

func (c *connection) hello(ctx context.Context, e *arcp.Envelope, p *arcp.SessionHello) error {
	if p.Resume != nil {
		return c.refuseResume(e)
	}
	who, refusal := c.authenticate(ctx, &p.Auth)
	if refusal != nil {
		c.refuse(e, refusal)
		return c.hangUp()
	}
	features := c.negotiate(p.Capabilities)
	s, err := c.newSession(ctx, who, features)
	if err != nil {
		c.rt.opts.Logger.Error("session cannot be opened", "error", err)
		c.refuse(e, arcp.NewError(arcp.CodeInternalError, "the session cannot be opened"))
		return c.hangUp()
	}
	c.handshake.Stop()
	c.session.Store(s)
	c.core.Opened(s.id, features)
	if err := c.send(c.welcome(features)); err != nil {
		return err
	}
	c.startHeartbeat()
	c.expireWith(who)
	c.link.SetSource(s.source())
	s.view.SetReader(c.link)
	c.rt.opts.Logger.Info("session opened", "session", s.id, "principal", who.ID, "client", p.Client.Name)
	return nil
}

// refuseResume answers as for a session that is gone: none can be resumed yet (§6.3).
func (c *connection) refuseResume(e *arcp.Envelope) error {
	err := arcp.NewError(arcp.CodeResumeWindowExpired, "the session cannot be resumed")
	err.Retryable = false
	c.refuse(e, err)
	return c.hangUp()
}

// authenticate tells who the client is. Why it was refused goes to the log only (§6.1).
func (c *connection) authenticate(ctx context.Context, auth *arcp.Auth) (*Principal, *arcp.Error) {
	ctx, cancel := context.WithTimeout(ctx, c.rt.opts.HandshakeTimeout)
	defer cancel()
	who, err := c.identify(ctx, auth)
	if err == nil && (who == nil || who.ID == "") {
		err = errToken
	}
	if err == nil && !who.Expires.IsZero() && !time.Now().Before(who.Expires) {
		err = errExpired
	}
	if err != nil {
		c.rt.opts.Logger.Warn("client refused", "peer", c.peer.Addr, "error", err)
		return nil, arcp.NewError(arcp.CodeUnauthenticated, "authentication failed")
	}
	return who, nil
}

func (c *connection) identify(ctx context.Context, auth *arcp.Auth) (*Principal, error) {
	scheme := auth.Scheme
	if scheme == "" {
		scheme = arcp.SchemeBearer
	}
	switch {
	case c.peer.Principal != "":
		return &Principal{ID: c.peer.Principal}, nil
	case c.rt.opts.Verifier != nil:
		return c.rt.opts.Verifier.Verify(ctx, scheme, auth.Token.Reveal())
	case c.rt.opts.AllowAnyone && c.peer.Loopback:
		return &Principal{ID: anyone}, nil
	}
	return nil, errNoVerifier
}

// negotiate returns the features both ends have, in the order of the spec.
func (c *connection) negotiate(caps *arcp.ClientCapabilities) []arcp.Feature {
	both := []arcp.Feature{}
	for _, f := range built {
		off := f == arcp.FeatureHeartbeat && c.rt.opts.HeartbeatInterval < 0
		if !off && caps != nil && slices.Contains(caps.Features, f) {
			both = append(both, f)
		}
	}
	return both
}

func (c *connection) newSession(ctx context.Context, who *Principal, features []arcp.Feature) (*session, error) {
	id := arcp.NewID(arcp.PrefixSession)
	view, err := c.rt.seq.OpenView(ctx, c.rt.node.ID(), id, journal.GatesOf(features), nil)
	if err != nil {
		return nil, err
	}
	return &session{conn: c, rt: c.rt, id: id, principal: who.ID, features: features, view: view}, nil
}

func (c *connection) welcome(features []arcp.Feature) *arcp.SessionWelcome {
	o := &c.rt.opts
	w := &arcp.SessionWelcome{
		Runtime:         arcp.Software{Name: o.Name, Version: o.Version},
		ResumeToken:     arcp.NewToken(),
		ResumeWindowSec: 1, // the least the draft allows: sessions end with their link
		Capabilities: arcp.RuntimeCapabilities{
			Encodings: []string{arcp.EnvelopeEncodingJSON},
			Features:  features,
			Agents:    c.rt.agents.inventory(),
			Limits:    &arcp.SessionLimits{FrameBytes: uint64(o.FrameBytes)},
		},
	}
	if slices.Contains(features, arcp.FeatureHeartbeat) {
		w.HeartbeatIntervalSec = uint64(max(1, o.HeartbeatInterval/time.Second))
	}
	return w
}

// expireWith ends the session when its principal's time is over.
func (c *connection) expireWith(who *Principal) {
	if who.Expires.IsZero() {
		return
	}
	c.expiry = time.AfterFunc(time.Until(who.Expires), func() {
		_ = c.send(sessionError(arcp.NewError(arcp.CodeUnauthenticated, "the credentials have expired"), "", ""))
		c.link.Close("the credentials have expired")
	})
}
