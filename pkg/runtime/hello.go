package runtime

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// built is what this runtime can do; nothing else is advertised (§6.2).
var built = [...]arcp.Feature{
	arcp.FeatureHeartbeat, arcp.FeatureAck, arcp.FeatureListJobs, arcp.FeatureSubscribe,
	arcp.FeatureLeaseExpiresAt, arcp.FeatureCostBudget, arcp.FeatureModelUse, arcp.FeatureProvisionedCredentials,
	arcp.FeatureProgress, arcp.FeatureResultChunk, arcp.FeatureAgentVersions,
}

func (c *connection) hello(ctx context.Context, e *arcp.Envelope, p *arcp.SessionHello) error {
	if p.Resume != nil {
		return c.resumeWith(ctx, e, &p.Auth, &claim{session: p.Resume.SessionID, token: p.Resume.ResumeToken, last: p.Resume.LastEventSeq})
	}
	who, refusal := c.authenticate(ctx, &p.Auth)
	if refusal != nil {
		c.refuse(e, refusal)
		return c.hangUp()
	}
	if refusal := c.rt.quotas.take(&c.slot, who.ID, ofConnections); refusal != nil {
		c.refuse(e, refusal)
		return c.hangUp()
	}
	s, token, err := c.rt.open(who, c.negotiate(p.Capabilities))
	if err != nil {
		refusal := arcp.NewError(arcp.CodeInternalError, "no session can be opened now")
		if !errors.As(err, &refusal) {
			c.rt.opts.Logger.Error("session cannot be opened", "principal", who.ID, "error", err)
		}
		c.refuse(e, refusal)
		return c.hangUp()
	}
	reader, _, _ := s.view.Resume(0)
	s.conn.Store(c)
	c.rt.opts.Logger.Info("session opened", "session", s.id, "principal", who.ID, "client", p.Client.Name)
	err = c.begin(ctx, who, &resumed{session: s, token: token, reader: reader})
	c.rt.count.opened.Add(1)
	c.audit(&trail{action: auditConnect})
	return err
}

// resumeWith continues a session; a refusal closes the link and never opens a new one (§6.3).
func (c *connection) resumeWith(ctx context.Context, e *arcp.Envelope, auth *arcp.Auth, cl *claim) error {
	who, refusal := c.authenticate(ctx, auth)
	if refusal != nil {
		c.refuse(e, refusal)
		return c.hangUp()
	}
	if refusal := c.rt.admitResume(c, who, cl); refusal != nil {
		c.refuse(e, refusal)
		return c.hangUp()
	}
	r, refusal := c.rt.resume(ctx, c, who, cl)
	if refusal != nil {
		c.refuse(e, refusal)
		return c.hangUp()
	}
	if r.old != nil {
		r.old.takenOver()
	}
	c.rt.opts.Logger.Info("session resumed", "session", r.session.id, "principal", who.ID, "from", cl.last)
	err := c.begin(ctx, who, r)
	c.rt.count.resumed.Add(1)
	c.audit(&trail{action: auditResume})
	return err
}

// begin welcomes the client: first the welcome, then what must be said again, then the view.
func (c *connection) begin(ctx context.Context, who *Principal, r *resumed) error {
	s := r.session
	c.handshake.Stop()
	c.reader = r.reader
	c.session.Store(s)
	c.core.Opened(s.id, s.features)
	if err := c.send(c.welcome(s, r.token)); err != nil {
		return err
	}
	for _, frame := range r.frames {
		// They may be more than the control lane holds; nothing else can be asked before them.
		if err := c.link.SendWait(ctx, &arcp.Envelope{Payload: &arcp.UnknownMessage{Frame: c.again(s, frame)}}); err != nil {
			return err
		}
	}
	c.startHeartbeat()
	c.expireWith(who)
	if c.shows(s) {
		c.reader.Reveal = c.reveal
	}
	c.link.SetSource(viewSource{c})
	c.reader.SetWaker(c.link)
	return nil
}

// authenticate tells who the client is. Why it was refused goes to the log only (§6.1).
func (c *connection) authenticate(ctx context.Context, auth *arcp.Auth) (*Principal, *arcp.Error) {
	ctx, cancel := context.WithTimeout(ctx, c.rt.opts.Limits.Handshake)
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
	c.principal = who.ID
	return who, nil
}

func (c *connection) identify(ctx context.Context, auth *arcp.Auth) (*Principal, error) {
	scheme := auth.Scheme
	if scheme == "" {
		scheme = arcp.SchemeBearer
	}
	switch {
	case c.rt.opts.TrustTransport && c.peer.Principal != "":
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
		off := f == arcp.FeatureHeartbeat && c.rt.opts.Limits.HeartbeatInterval < 0 || f == arcp.FeatureProvisionedCredentials && !c.mayMint()
		if !off && caps != nil && slices.Contains(caps.Features, f) {
			both = append(both, f)
		}
	}
	return both
}

func (c *connection) welcome(s *session, token arcp.Secret) *arcp.SessionWelcome {
	o := &c.rt.opts
	w := &arcp.SessionWelcome{
		Runtime:         arcp.Software{Name: o.Name, Version: o.Version},
		ResumeToken:     token,
		ResumeWindowSec: uint64(max(1, o.Limits.ResumeWindow/time.Second)),
		Capabilities: arcp.RuntimeCapabilities{
			Encodings: []string{arcp.EnvelopeEncodingJSON},
			Features:  s.features,
			Agents:    c.rt.agents.inventory(),
			Limits: &arcp.SessionLimits{
				FrameBytes: uint64(o.Limits.FrameIn), RetainedBytes: uint64(o.Limits.RetainedBytes), IdempotencySec: uint64(o.Limits.Idempotency / time.Second),
			},
		},
	}
	if s.has(arcp.FeatureHeartbeat) {
		w.HeartbeatIntervalSec = uint64(max(1, o.Limits.HeartbeatInterval/time.Second))
	}
	return w
}

// expireWith ends the session when its principal's time is over.
func (c *connection) expireWith(who *Principal) {
	if who.Expires.IsZero() {
		return
	}
	c.expiry = time.AfterFunc(time.Until(who.Expires), func() {
		last := sessionError(arcp.NewError(arcp.CodeUnauthenticated, "the credentials have expired"), "", "")
		c.link.Finish(c.envelope("", "", last), "the credentials have expired")
		c.audit(&trail{action: auditExpire, reason: "the credentials have expired"})
	})
}
