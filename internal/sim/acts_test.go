package sim

import (
	"maps"
	"slices"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// run is the life of a bare client: it does things until it has had enough, then sees to it that it got all it was owed.
func (b *bare) run() {
	for range 5 + b.r.IntN(40) {
		if b.w.isDown() {
			break
		}
		if b.line == nil || !b.alive() {
			b.arrive()
			continue
		}
		b.act()
		time.Sleep(time.Duration(b.r.IntN(1500)) * time.Millisecond)
	}
	b.settle()
}

func (b *bare) alive() bool {
	select {
	case <-b.line.ended:
		return false
	default:
		return true
	}
}

// arrive opens a session or goes on with the one it had, sometimes after a long time.
func (b *bare) arrive() {
	if b.line != nil && b.r.IntN(4) == 0 {
		time.Sleep(pick(b.r, time.Second, 15*time.Second, 2*time.Minute))
	}
	b.connect(plan(b.r), b.r.IntN(10) == 0)
}

// connect links the session again, or opens one. A client that is careless says it has seen less than it has. A refusal must have a
// reason.
func (b *bare) connect(p faulty.Plan, careless bool) bool {
	b.mu.Lock()
	id, token, last, heard := b.id, b.token, b.last, b.heard
	b.mu.Unlock()
	if id == "" {
		b.line = b.dial(p, nil)
		return b.line.open()
	}
	if careless && last > 0 {
		last -= uint64(b.r.IntN(int(last)))
		b.careless = true
	}
	if b.r.IntN(6) == 0 && b.w.kind != shared {
		id = "" // the token finds it, where it is
	}
	b.line = b.dial(p, &arcp.Resume{SessionID: id, ResumeToken: arcp.MakeSecret(token), LastEventSeq: last})
	if b.line.open() {
		return true
	}
	if refused := b.line.refused; refused != nil {
		if refused.Retryable && b.w.kind != single {
			return false // its node is dying, or another one has the session just now
		}
		excused := b.w.small || b.careless || b.unanswered && b.w.kind == shared
		if away := time.Since(heard); !excused && away < b.w.opts.Limits.ResumeWindow && !b.w.isDown() {
			b.w.fail("%s was refused its session %s after %v: %s %s", b.name, b.id, away, refused.Code, refused.Message)
		}
		b.forget()
		return false
	}
	b.unanswered = true
	return false
}

// act does one thing that a client may do, or may not.
func (b *bare) act() {
	l := b.line
	say := func(job string, p arcp.Payload) {
		l.write(&arcp.Envelope{ID: b.nextID(), SessionID: b.id, JobID: job, Payload: p})
	}
	job := b.w.anyJob(b.r)
	switch b.r.IntN(24) {
	case 0, 1, 2, 3:
		p := b.work()
		say("", &p)
	case 4, 5:
		p := b.work()
		p.IdempotencyKey = b.nextID()
		b.w.keep(keyedWork{b.principal, p})
		say("", &p)
	case 6, 7:
		if p, ok := b.w.again(b.r, b.principal); ok {
			say("", &p)
			if b.r.IntN(3) == 0 {
				say("", &p)
			}
		}
	case 8:
		say(job, &arcp.JobCancel{Reason: "so"})
	case 9:
		if own := b.own(); own != "" {
			say(own, &arcp.JobCancel{JobID: own})
		}
	case 10, 11, 12:
		say("", &arcp.JobSubscribe{JobID: job, History: b.r.IntN(3) > 0, FromEventSeq: pick(b.r, 0, 0, uint64(b.r.IntN(20)))})
	case 13:
		say("", &arcp.JobUnsubscribe{JobID: job})
	case 14:
		limit := uint64(1 + b.r.IntN(4))
		say("", &arcp.SessionListJobs{Limit: &limit, Cursor: pick(b.r, "", b.page(), "bm90IG9uZSBvZiB5b3Vycw")})
	case 15, 16:
		// Nobody acknowledges more than it has: whoever does may lose what it claimed to have, answers included.
		say("", &arcp.SessionAck{LastProcessedSeq: pick(b.r, b.seen(), b.seen(), b.seen()/2)})
	case 17:
		say("", &arcp.SessionPing{Nonce: b.nextID(), SentAt: time.Now()})
	case 18:
		b.nonsense()
	case 19, 20:
		l.close()
	case 21:
		b.takeOver()
	case 22:
		say("", &arcp.SessionClose{Reason: "enough"})
		b.careless = true
		<-b.gone(l)
	case 23:
		b.steal()
	}
}

func (b *bare) own() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.mine) == 0 {
		return ""
	}
	ids := slices.Sorted(maps.Keys(b.mine))
	return ids[b.r.IntN(len(ids))]
}

func (b *bare) seen() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

func (b *bare) page() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cursor
}

// gone waits for the end of a link that was asked to end, but not for ever: it may be frozen.
func (b *bare) gone(l *line) <-chan struct{} {
	t := time.NewTimer(time.Minute)
	defer t.Stop()
	select {
	case <-l.ended:
	case <-t.C:
		l.close()
	}
	return l.ended
}

// nonsense is what no client should say.
func (b *bare) nonsense() {
	switch b.r.IntN(5) {
	case 0:
		b.line.raw([]byte(`{"arcp":"1.1","id":"`))
	case 1:
		b.line.raw([]byte(`{"arcp":"1.1","id":"` + b.nextID() + `","type":"job.dance","session_id":"` + b.id + `","payload":{}}`))
	case 2:
		b.line.write(&arcp.Envelope{ID: b.nextID(), SessionID: b.id, JobID: b.w.anyJob(b.r), EventSeq: 1, Payload: &arcp.JobError{
			FinalStatus: arcp.StatusError, Code: arcp.CodeInternalError, Message: "forged",
		}})
	case 3:
		b.line.write(&arcp.Envelope{ID: b.nextID(), SessionID: b.id, Payload: &arcp.SessionHello{
			Client: arcp.Software{Name: "again"}, Auth: arcp.Auth{Token: arcp.MakeSecret(tokenOf(b.principal))},
		}})
	case 4:
		b.line.write(&arcp.Envelope{ID: b.nextID(), SessionID: b.id, Payload: &arcp.JobSubmit{Agent: "work", Input: arcp.RawJSON(`{"seed":"x"}`)}})
	}
}

// takeOver resumes the session on a second link while the first is still there.
func (b *bare) takeOver() {
	old := b.line
	b.connect(plan(b.r), false)
	if b.r.IntN(2) == 0 {
		time.Sleep(time.Duration(b.r.IntN(2000)) * time.Millisecond)
	}
	old.close()
}

// steal tries to resume somebody's session: with its token as somebody else, or without its token.
func (b *bare) steal() {
	b.w.mu.Lock()
	c := b.w.claims[b.r.IntN(len(b.w.claims))]
	b.w.mu.Unlock()
	if c.session == b.id {
		return
	}
	token := arcp.NewToken()
	as := b.principal
	if b.r.IntN(2) == 0 {
		token, as = arcp.MakeSecret(c.token), "nobody"
	}
	thief := newBare(b.w, b.r.Uint64(), as)
	l := thief.dial(faulty.Plan{}, &arcp.Resume{SessionID: c.session, ResumeToken: token})
	if l.open() {
		b.w.fail("session %s was stolen by %s", c.session, as)
		l.close()
	}
}

// settle links the session for a last time, without faults, and waits until every job of it has shown its end.
func (b *bare) settle() {
	if b.line != nil {
		b.line.close()
	}
	for range 300 { // for its node may die
		if b.id == "" || b.w.isDown() {
			return
		}
		if !b.connect(faulty.Plan{}, false) {
			time.Sleep(time.Second)
			continue
		}
		b.line.patient()
		if b.await() {
			break
		}
	}
	if b.waiting() != "" && !b.w.isDown() {
		b.w.fail("%s was never told the end of its job %s (session %s)", b.name, b.waiting(), b.id)
	}
	b.line.close()
}

// await waits until every job of the session has shown its end, and says whether that came.
func (b *bare) await() bool {
	deadline := time.Now().Add(30 * time.Minute)
	for b.waiting() != "" && time.Now().Before(deadline) && b.alive() && !b.w.isDown() {
		time.Sleep(time.Second)
	}
	return b.waiting() == ""
}

// waiting is a job whose end has not come.
func (b *bare) waiting() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, over := range b.mine {
		if !over {
			return id
		}
	}
	return ""
}
