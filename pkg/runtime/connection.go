package runtime

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/transport"
)

// connection is one link and what the runtime knows of the client behind it. All but end runs on the link's reader.
type connection struct {
	rt   *Runtime
	link *link.Link
	peer transport.Peer

	core      core.Session
	session   atomic.Pointer[session] // nil until the welcome
	reader    *journal.Reader         // of the session's view; set with it
	principal string                  // once it is known; written before the session is
	slot      slot                    // one of its principal's connections
	admission admission
	taken     atomic.Bool // it was told that the session went on elsewhere
	heard     bool        // the client has spoken since the welcome

	handshake *time.Timer
	expiry    *time.Timer
	endOnce   sync.Once
}

// Why a handler ends the reader: after an orderly close, and after a panic.
var (
	errEnd   = errors.New("runtime: the session's link ends")
	errPanic = errors.New("runtime: the connection's handler failed")
)

// Serve speaks with one client over conn until either side ends, and closes conn. It returns nil after an orderly end. Ending ctx
// closes the connection; jobs run on. Many connections may be served at once.
func (rt *Runtime) Serve(ctx context.Context, conn transport.Conn) (err error) {
	if err := rt.Start(ctx); err != nil {
		_ = conn.Close("the runtime cannot start")
		return err
	}
	c := &connection{rt: rt, peer: conn.Peer()}
	c.link = link.New(conn, rt.linkOptions(c))
	if !rt.enter(c) {
		c.link.Close(stopReason)
		<-c.link.Done()
		return rt.refusal()
	}
	defer rt.leave(c)
	defer context.AfterFunc(ctx, func() { c.link.Close("the runtime closes the connection") })()
	c.handshake = time.AfterFunc(rt.opts.Limits.Handshake, func() { c.link.Close("no hello in time") })
	defer c.end()
	defer c.admission.wait(rt.opts.Limits.CredentialIssue)
	ctx, over := context.WithCancel(ctx) // for who waits for something on behalf of the client
	defer over()
	err = c.link.Run(func(e *arcp.Envelope) error { return c.guarded(ctx, e) })
	if errors.Is(err, errEnd) || errors.Is(err, io.EOF) || errors.Is(err, link.ErrClosed) {
		return nil
	}
	return err
}

// guarded keeps a panic, be it ours or a Verifier's, from ending more than this connection.
func (c *connection) guarded(ctx context.Context, e *arcp.Envelope) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.rt.opts.Logger.Error("connection handler panicked", "session", c.sessionID(), "panic", p, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return c.handle(ctx, e)
}

func (rt *Runtime) enter(c *connection) bool {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.stopping {
		return false
	}
	rt.conns[c] = struct{}{}
	return true
}

func (rt *Runtime) leave(c *connection) {
	c.rt.quotas.release(&c.slot)
	rt.mu.Lock()
	defer rt.mu.Unlock()
	delete(rt.conns, c)
	if len(rt.conns) == 0 && rt.gone != nil {
		close(rt.gone)
		rt.gone = nil
	}
}

// end lets go of everything that belongs to the link; its jobs run on.
func (c *connection) end() {
	c.endOnce.Do(func() {
		c.handshake.Stop()
		if c.expiry != nil {
			c.expiry.Stop()
		}
		if s := c.session.Load(); s != nil {
			s.park(c)
		}
	})
}

func (c *connection) handle(ctx context.Context, e *arcp.Envelope) error {
	if s := c.session.Load(); s != nil && !c.owns(s) {
		return c.hangUp()
	}
	a := c.core.Admit(e)
	if a.Refuse == nil && !a.Ignore {
		if err := e.Validate(); err != nil {
			a.Refuse, a.End = asRefusal(err), !c.core.IsOpen()
		}
	}
	switch {
	case a.Refuse != nil:
		c.refuse(e, a.Refuse)
	case !a.Ignore:
		return c.act(ctx, e)
	}
	if a.End {
		return c.hangUp()
	}
	return nil
}

// misshapen answers a message with a member of the wrong type, or without one it needs: a request with its id.
func (c *connection) misshapen(e *arcp.Envelope, err error) error {
	if s := c.session.Load(); s != nil && !c.owns(s) {
		return c.hangUp()
	}
	a := c.core.Admit(e)
	switch {
	case a.Ignore:
		return nil
	case a.Refuse == nil:
		a.Refuse = asRefusal(err)
	}
	c.refuse(e, a.Refuse)
	if a.End || !c.core.IsOpen() {
		return c.hangUp()
	}
	return nil
}

// owns says whether the session is still this link's, and notes that the client has its newest token.
func (c *connection) owns(s *session) bool {
	if s.conn.Load() != c {
		return false
	}
	if !c.heard {
		c.heard = true
		return s.arrived(c)
	}
	return true
}

func asRefusal(err error) *arcp.Error {
	var e *arcp.Error
	if errors.As(err, &e) {
		return e
	}
	return arcp.NewError(arcp.CodeOf(err), "%s", err.Error())
}

func (c *connection) act(ctx context.Context, e *arcp.Envelope) error {
	if refusal := c.rt.quotas.spend(c.principal, e.Payload); refusal != nil {
		c.refuse(e, refusal)
		return nil
	}
	switch p := e.Payload.(type) {
	case *arcp.SessionHello:
		return c.hello(ctx, e, p)
	case *arcp.SessionResume:
		return c.resumeWith(ctx, e, &p.Auth, &claim{session: e.SessionID, token: p.ResumeToken, last: p.LastEventSeq})
	case *arcp.SessionPing:
		return c.send(&arcp.SessionPong{PingNonce: p.Nonce, ReceivedAt: time.Now()})
	case *arcp.SessionPong:
		return nil
	case *arcp.SessionClose:
		return c.farewell(p.Reason)
	case *arcp.SessionBye:
		return c.farewell(p.Reason)
	case *arcp.SessionAck:
		c.session.Load().view.Ack(p.LastProcessedSeq)
		return nil
	case *arcp.SessionListJobs:
		return c.list(ctx, c.session.Load(), e, p)
	case *arcp.JobSubmit:
		return c.submit(ctx, c.session.Load(), e, p)
	case *arcp.JobCancel:
		return c.cancel(ctx, c.session.Load(), e, p)
	case *arcp.JobSubscribe:
		return c.subscribe(ctx, c.session.Load(), e, p)
	case *arcp.JobUnsubscribe:
		return c.unsubscribe(ctx, c.session.Load(), e, p)
	}
	c.refuse(e, arcp.NewError(arcp.CodeInvalidRequest, "this runtime does not serve %s", e.Type))
	return nil
}

// refuse answers one request with an error (§12). The link goes on.
func (c *connection) refuse(e *arcp.Envelope, err *arcp.Error) {
	if c.rt.seq.Err() != nil {
		c.link.Close(lostStore) // what became of the request is not known
		return
	}
	c.rt.opts.Logger.Info("refused", "session", c.sessionID(), "type", clip(string(e.Type)), "code", string(err.Code), "error", clip(err.Message))
	c.auditRefusal(e, err)
	requestID, jobID := e.ID, e.JobID
	if len(requestID) > arcp.LimitIDLength || len(jobID) > arcp.LimitIDLength {
		requestID, jobID = "", "" // nothing that the peer could not have been answered with
	}
	_ = c.send(sessionError(err, requestID, jobID))
}

// clip bounds what a peer may write into logs and answers.
func clip(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "..."
}

func sessionError(err *arcp.Error, requestID, jobID string) *arcp.SessionError {
	err = peerCode(err)
	return &arcp.SessionError{
		Code: err.Code, Message: clip(err.Message), Retryable: err.Retryable, Details: err.Details, RequestID: requestID, JobID: jobID,
	}
}

func (c *connection) send(p arcp.Payload) error { return c.sendAbout("", "", p) }

func (c *connection) sendAbout(jobID, traceID string, p arcp.Payload) error {
	return c.link.Send(c.envelope(jobID, traceID, p))
}

func (c *connection) envelope(jobID, traceID string, p arcp.Payload) *arcp.Envelope {
	return &arcp.Envelope{
		ID: arcp.NewID(arcp.PrefixMessage), SessionID: c.sessionID(), JobID: jobID, TraceID: traceID, Payload: p,
	}
}

// stopReason is what clients are told when the runtime stops.
const stopReason = "the runtime stops"

// throwaway is the session id of frames that precede a session.
const throwaway = "sess_none"

func (c *connection) sessionID() string {
	if s := c.session.Load(); s != nil {
		return s.id
	}
	return throwaway
}

// farewell answers a close (§6.7). Events that are not on their way yet stay for a resume.
func (c *connection) farewell(reason string) error {
	c.admission.wait(c.rt.opts.Limits.CredentialIssue)
	if s := c.session.Load(); s != nil {
		s.leave(c)
	}
	c.link.Finish(c.envelope("", "", &arcp.SessionClosed{Reason: reason}), "the client said goodbye")
	return c.hangUp()
}

// hangUp ends the reader, and with it the link once the control lane is written out.
func (c *connection) hangUp() error {
	c.core.Ended()
	return errEnd
}

func (rt *Runtime) linkOptions(c *connection) link.Options {
	return link.Options{
		MaxBadFrames:  arcp.LimitBadFrames,
		OnBadEnvelope: c.misshapen,
		ControlBytes:  arcp.LimitControlBytes,
		WriteTimeout:  rt.opts.Limits.WriteTimeout,
		OnBadFrame: func(err error) *arcp.Envelope {
			rt.opts.Logger.Info("malformed frame", "session", c.sessionID(), "peer", c.peer.Addr, "error", err)
			return c.envelope("", "", sessionError(arcp.NewError(arcp.CodeInvalidRequest, "%v", err), "", ""))
		},
	}
}

// startHeartbeat watches the link once both ends know heartbeats (§6.4). A lost client loses its link and no job.
func (c *connection) startHeartbeat() {
	if !c.core.Negotiated(arcp.FeatureHeartbeat) {
		c.link.SetIdle(c.rt.opts.Limits.Idle, c.session.Load().expects, c.idle)
		return
	}
	c.link.SetHeartbeat(link.Heartbeat{
		Interval: c.rt.opts.Limits.HeartbeatInterval,
		Ping: func() *arcp.Envelope {
			return c.envelope("", "", &arcp.SessionPing{Nonce: arcp.NewID(arcp.PrefixMessage), SentAt: time.Now()})
		},
		Lost: func() *arcp.Envelope {
			lost := arcp.NewError(arcp.CodeHeartbeatLost, "nothing was heard for two heartbeat intervals")
			return c.envelope("", "", sessionError(lost, "", ""))
		},
	})
}
