package runtime

import (
	"context"
	"log/slog"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// What the records of Options.Audit tell of. Values are read by the tools of operators.
const (
	auditConnect     = "connect"
	auditResume      = "resume"
	auditSubmit      = "submit"
	auditCancel      = "cancel"
	auditSubscribe   = "subscribe"
	auditDelegate    = "delegate"
	auditExpire      = "expire"
	auditRevoke      = "revoke"
	auditUnrevocable = "unrevocable"
	auditDeny        = "deny" // any other request
)

// outcomeOK is the outcome of what was done. What was refused has its error code there.
const outcomeOK = "ok"

// trail is one record of the audit log. Empty fields are left out of it.
type trail struct {
	action     string
	principal  string
	session    string
	peer       string
	job        string
	agent      string
	owner      string // of the job, where that is somebody else
	parent     string // the job that delegated it, or was refused to
	request    string // the type of what was denied; of a credential, what it was minted by
	credential string
	reason     string
	refusal    *arcp.Error
}

func (rt *Runtime) audit(t *trail) {
	log := rt.opts.Audit
	if log == nil {
		return
	}
	outcome := outcomeOK
	if t.refusal != nil {
		outcome, t.reason = string(t.refusal.Code), t.refusal.Message
	}
	attrs := []slog.Attr{slog.String("outcome", outcome)}
	for _, f := range [...]struct{ name, value string }{
		{"principal", t.principal},
		{"session", t.session},
		{"peer", t.peer},
		{"job", t.job},
		{"agent", t.agent},
		{"owner", t.owner},
		{"parent", t.parent},
		{"request", t.request},
		{"credential", t.credential},
		{"reason", t.reason},
	} {
		if f.value != "" {
			attrs = append(attrs, slog.String(f.name, clip(f.value)))
		}
	}
	log.LogAttrs(context.Background(), slog.LevelInfo, t.action, attrs...)
}

// audit records what the client of a connection did or was refused.
func (c *connection) audit(t *trail) {
	if c.rt.opts.Audit == nil {
		return
	}
	t.peer, t.principal = c.peer.Addr, c.principal
	if s := c.session.Load(); s != nil {
		t.session = s.id
	}
	if t.job != "" {
		t.owner = c.rt.ownerBeside(t.job, c.principal)
	}
	c.rt.audit(t)
}

// auditRefusal records a request that was refused.
func (c *connection) auditRefusal(e *arcp.Envelope, err *arcp.Error) {
	c.rt.count.refuse(err.Code)
	t := &trail{refusal: err, job: e.JobID}
	switch p := e.Payload.(type) {
	case *arcp.SessionHello:
		if t.action = auditConnect; p.Resume != nil {
			t.action, t.session = auditResume, p.Resume.SessionID
		}
	case *arcp.SessionResume:
		t.action, t.session = auditResume, e.SessionID
	case *arcp.JobSubmit:
		t.action, t.agent = auditSubmit, p.Agent
	case *arcp.JobCancel:
		if t.action = auditCancel; p.JobID != "" {
			t.job = p.JobID
		}
	case *arcp.JobSubscribe:
		t.action, t.job = auditSubscribe, p.JobID
	default:
		t.action, t.request = auditDeny, string(e.Type)
	}
	c.audit(t)
}

// ownerBeside returns whose job one is, if it is known here and somebody else's.
func (rt *Runtime) ownerBeside(job, principal string) string {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if j := rt.jobs[job]; j != nil && j.principal != principal {
		return j.principal
	}
	return ""
}
