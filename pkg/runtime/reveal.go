package runtime

import (
	"strconv"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Values of credentials stand in the memory of the runtime that has them minted and in frames to the principal they were minted for. What is
// kept, in logs, views and stores, has none: they are put in here, when a frame is written.

// confidential says whether nobody on the way can read what is sent over the link.
func (c *connection) confidential() bool { return c.peer.Secure || c.peer.Loopback }

// mayMint says whether the feature can be offered over this link.
func (c *connection) mayMint() bool {
	o := &c.rt.opts
	return o.Provisioner != nil && c.confidential() && (o.ForgetfulProvisioner || o.Store.Level() > store.Volatile)
}

// shows says whether a session is shown credentials over this link. It is when they are minted for what it submits, too.
func (c *connection) shows(s *session) bool {
	return c.rt.opts.Provisioner != nil && s.has(arcp.FeatureProvisionedCredentials) && c.confidential()
}

// shown returns the credentials that a session may see of a job: those of its principal's, while it runs. What was minted for a child is for
// its agent alone.
func (c *connection) shown(s *session, j *job) []arcp.Credential {
	if j == nil || j.principal != s.principal || j.kin.of != "" || !c.shows(s) {
		return nil
	}
	return j.keys.Load().current()
}

// again returns an answer that is sent once more, with the values of now.
func (c *connection) again(s *session, frame []byte) []byte {
	if !c.shows(s) {
		return frame
	}
	e, err := arcp.Decode(frame)
	if err != nil {
		return frame
	}
	if with, err := c.withCredentials(s, c.rt.job(e.JobID), e).AppendJSON(nil); err == nil {
		return with
	}
	return frame
}

// withCredentials puts the credentials that a session may see into an accepted or a subscribed that is about to be sent.
func (c *connection) withCredentials(s *session, j *job, e *arcp.Envelope) *arcp.Envelope {
	creds := c.shown(s, j)
	if len(creds) == 0 {
		return e
	}
	switch p := e.Payload.(type) {
	case *arcp.JobAccepted:
		p.Credentials = creds
	case *arcp.JobSubscribed:
		p.Credentials = creds
	}
	return e
}

// reveal returns the frame of a rotation with the value, if it is the newest of its credential and the session may see it; and the frame
// as it is otherwise.
func (c *connection) reveal(jobID string, frame []byte) []byte {
	j, s := c.rt.job(jobID), c.session.Load()
	if len(c.shown(s, j)) == 0 {
		return frame
	}
	e, err := arcp.Decode(frame)
	if err != nil {
		return frame
	}
	ev, _ := e.Payload.(*arcp.JobEvent)
	if ev == nil {
		return frame
	}
	index, _ := strconv.ParseUint(e.ID[strings.LastIndexByte(e.ID, '.')+1:], 10, 64)
	b, _ := ev.Body.(*arcp.StatusBody)
	if b == nil {
		return frame
	}
	if b.Value = j.keys.Load().valueAt(b.ID, index); b.Value.IsZero() {
		return frame
	}
	if with, err := e.AppendJSON(nil); err == nil {
		return with
	}
	return frame
}

// job returns a job of this node's table, nil when it is not there.
func (rt *Runtime) job(id string) *job {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return rt.jobs[id]
}
