package invariant

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

func (p *tape) find(label string) int {
	p.t.Helper()
	i := slices.Index(p.labels, label)
	if i < 0 {
		p.t.Fatalf("no step %q", label)
	}
	return i
}

func (p *tape) drop(label string) {
	i := p.find(label)
	p.trace, p.labels = slices.Delete(p.trace, i, i+1), slices.Delete(p.labels, i, i+1)
}

// repeat says a step once more, on another link when one is given.
func (p *tape) repeat(label string, link int) {
	i := p.find(label)
	s := p.trace[i]
	if link != 0 {
		s.Link = link
	}
	p.trace, p.labels = slices.Insert(p.trace, i+1, s), slices.Insert(p.labels, i+1, "copy")
}

func (p *tape) swap(a, b string) {
	i, j := p.find(a), p.find(b)
	p.trace[i], p.trace[j] = p.trace[j], p.trace[i]
}

func (p *tape) edit(label string, change func(*arcp.Envelope)) {
	p.t.Helper()
	i := p.find(label)
	e, err := arcp.Decode(p.trace[i].Data)
	if err != nil {
		p.t.Fatal(err)
	}
	change(e)
	if p.trace[i].Data, err = e.AppendJSON(nil); err != nil {
		p.t.Fatal(err)
	}
}

// after inserts what add adds behind a step.
func (p *tape) after(label string, add func()) {
	p.t.Helper()
	i := p.find(label) + 1
	rest, names := slices.Clone(p.trace[i:]), slices.Clone(p.labels[i:])
	p.trace, p.labels = p.trace[:i], p.labels[:i]
	add()
	p.trace, p.labels = append(p.trace, rest...), append(p.labels, names...)
}

func TestGoodTrace(t *testing.T) {
	t.Parallel()
	p := good(t)
	for _, v := range Check(p.trace, options()) {
		t.Errorf("%v\n%s", v, p.trace.Around(v.Step, 3))
	}
}

func errorOf(e *arcp.Envelope) *arcp.SessionError { return e.Payload.(*arcp.SessionError) }

// Every way to break the good trace is found, under the rule that it breaks. guards A3, A4, B1, B2, B4, B11, C1, C2, C3, C7, C8, D1, D2
func TestBrokenTraces(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		rule Rule
		do   func(*tape)
	}{
		{"an event is lost", Numbers, func(p *tape) { p.drop("e2") }},
		{"an event comes twice", Numbers, func(p *tape) { p.repeat("e2", 0) }},
		{"two events change places", Numbers, func(p *tape) { p.swap("e1", "e2") }},
		{"numbers begin again on a new link", Numbers, func(p *tape) { p.edit("e3again", func(e *arcp.Envelope) { e.EventSeq = 1 }) }},
		{"a replay differs", Numbers, func(p *tape) { p.edit("e3again", func(e *arcp.Envelope) { e.Payload = thought("four") }) }},
		{"a replay leaves one out", Numbers, func(p *tape) { p.drop("e3again") }},
		{"the first number is 2", Numbers, func(p *tape) { p.edit("b1", func(e *arcp.Envelope) { e.EventSeq = 2 }) }},

		{"an event after the end", OneEnd, func(p *tape) {
			p.after("end2", func() { p.event("late", 3, sessA, 6, job2, 3, thought("late")) })
			p.edit("end1", func(e *arcp.Envelope) { e.EventSeq = 7 })
		}},
		{"two ends", OneEnd, func(p *tape) {
			p.after("end2", func() { p.event("late", 3, sessA, 6, job2, 3, success(job2)) })
			p.edit("end1", func(e *arcp.Envelope) { e.EventSeq = 7 })
		}},
		{"an entry behind the end was seen first", OneEnd, func(p *tape) { p.edit("end1", func(e *arcp.Envelope) { e.ID = arcp.EventID(job1, 2) }) }},
		{"a taken cancel ends in success", OneEnd, func(p *tape) { p.edit("end2", func(e *arcp.Envelope) { e.Payload = success(job2) }) }},
		{"an answer knows another end", OneEnd, func(p *tape) {
			p.edit("watched", func(e *arcp.Envelope) { e.Payload.(*arcp.JobSubscribed).CurrentStatus = arcp.StatusTimedOut })
		}},

		{"a job never ends", EveryEnd, func(p *tape) { p.drop("end2"); p.edit("end1", func(e *arcp.Envelope) { e.EventSeq = 5 }) }},

		{"the watcher reads something else", OneLog, func(p *tape) { p.edit("b3", func(e *arcp.Envelope) { e.Payload = thought("four") }) }},
		{"the watcher misses an entry it could see", OneLog, func(p *tape) {
			p.drop("b3")
			p.edit("bend1", func(e *arcp.Envelope) { e.EventSeq = 2 })
		}},
		{"the owner misses an entry", OneLog, func(p *tape) {
			p.drop("x1")
			p.drop("x1again")
			p.edit("end2", func(e *arcp.Envelope) { e.EventSeq = 4 })
			p.edit("end1", func(e *arcp.Envelope) { e.EventSeq = 5 })
		}},
		{"an event before it is accepted", OneLog, func(p *tape) { p.swap("accepted1", "e1") }},
		{"history begins too late", OneLog, func(p *tape) {
			p.edit("watched", func(e *arcp.Envelope) { e.Payload.(*arcp.JobSubscribed).SubscribedFrom = 1 })
		}},
		{"an event without a place in the log", OneLog, func(p *tape) { p.edit("x1", func(e *arcp.Envelope) { e.ID = "msg_1" }) }},
		{"a job that nobody asked for", OneLog, func(p *tape) {
			p.after("welcomeC", func() { p.event("stray", 4, sessC, 1, job3, 1, thought("x")) })
		}},

		{"a resume token in an event", Secrecy, func(p *tape) { p.edit("x1", func(e *arcp.Envelope) { e.Payload = thought("see " + tokenB1) }) }},
		{"a welcome with a token that was used", Secrecy, func(p *tape) { p.edit("welcomeA2", func(e *arcp.Envelope) { e.Payload = welcome(tokenA1) }) }},
		{"a bearer token in an error", Secrecy, func(p *tape) { p.edit("nothing", func(e *arcp.Envelope) { errorOf(e).Message = "who is " + bob }) }},
		{"a canary for a stranger", Secrecy, func(p *tape) {
			p.edit("closedC", func(e *arcp.Envelope) { e.Payload = &arcp.SessionClosed{Reason: canary} })
		}},
		{"let in with a token of another session", Secrecy, func(p *tape) {
			p.edit("resumeA", func(e *arcp.Envelope) { e.Payload.(*arcp.SessionHello).Resume.ResumeToken = arcp.MakeSecret(tokenB1) })
		}},
		{"let in with a token of nobody", Secrecy, func(p *tape) {
			p.edit("resumeA", func(e *arcp.Envelope) {
				e.Payload.(*arcp.SessionHello).Resume.ResumeToken = arcp.MakeSecret("rt_guessed")
			})
		}},

		{"a stranger resumes", Strangers, func(p *tape) {
			p.edit("resumeA", func(e *arcp.Envelope) { e.Payload.(*arcp.SessionHello).Auth.Token = arcp.MakeSecret(bob) })
		}},
		{"a job id for a stranger", Strangers, func(p *tape) {
			p.edit("closedC", func(e *arcp.Envelope) { e.Payload = &arcp.SessionClosed{Reason: job2} })
		}},
		{"a session id for a stranger", Strangers, func(p *tape) { p.edit("nothing", func(e *arcp.Envelope) { errorOf(e).Message = sessB }) }},
		{"foreign is not like missing", Strangers, func(p *tape) { p.edit("nothing", func(e *arcp.Envelope) { errorOf(e).Message = "not yours" }) }},
		{"a new session takes another's id", Strangers, func(p *tape) {
			p.edit("welcomeB", func(e *arcp.Envelope) { e.SessionID = sessA })
		}},

		{"one key, two jobs", Keys, func(p *tape) {
			p.edit("reaccepted1", func(e *arcp.Envelope) { e.JobID, e.Payload = job3, accepted(job3, "retry1") })
		}},
		{"one key, two fingerprints", Keys, func(p *tape) {
			p.edit("clashed", func(e *arcp.Envelope) { e.JobID, e.Payload = job1, accepted(job1, "clash") })
		}},
		{"an equal submit is refused as another", Keys, func(p *tape) {
			p.edit("reaccepted1", func(e *arcp.Envelope) { e.JobID, e.Payload = "", refusal(arcp.CodeDuplicateKey, "retry1", "") })
		}},
		{"no key, an old job", Keys, func(p *tape) { p.edit("retry1", func(e *arcp.Envelope) { e.Payload = &arcp.JobSubmit{Agent: "a"} }) }},

		{"refused and done", NoSideEffect, func(p *tape) {
			p.after("clashed", func() { p.runtime("both", 3, sessA, job1, accepted(job1, "clash")) })
		}},
		{"done and refused", NoSideEffect, func(p *tape) {
			p.after("ack2", func() { p.runtime("both", 3, sessA, "", refusal(arcp.CodeInvalidRequest, "cancel2", job2)) })
		}},
		{"an answer nobody asked for", NoSideEffect, func(p *tape) { p.drop("cancel2") }},
		{"an answer of the wrong kind", NoSideEffect, func(p *tape) {
			p.edit("ack2", func(e *arcp.Envelope) { e.JobID, e.Payload = job2, &arcp.SessionJobs{RequestID: "cancel2"} })
		}},

		{"the wrong session_id", Wire, func(p *tape) { p.edit("x1", func(e *arcp.Envelope) { e.SessionID = sessB }) }},
		{"a kind that was not agreed on", Wire, func(p *tape) {
			p.after("b1", func() { p.event("b2", 2, sessB, 2, job1, 2, progress(1)) })
			p.edit("b3", func(e *arcp.Envelope) { e.EventSeq = 3 })
			p.edit("bend1", func(e *arcp.Envelope) { e.EventSeq = 4 })
		}},
		{"a feature that was not agreed on", Wire, func(p *tape) {
			p.after("list", func() {
				p.runtime("listed", 2, sessB, "", &arcp.SessionJobs{RequestID: "list", Jobs: []arcp.JobSummary{}})
			})
		}},
		{"a feature that was not asked for", Wire, func(p *tape) {
			p.edit("welcomeB", func(e *arcp.Envelope) {
				e.Payload = welcome(tokenB1, arcp.FeatureSubscribe, arcp.FeatureResultChunk, arcp.FeatureAck)
			})
		}},
		{"something before the welcome", Wire, func(p *tape) { p.swap("welcomeA", "accepted1") }},
		{"something after the goodbye", Wire, func(p *tape) { p.swap("closedC", "nothing2") }},
		{"a client's type from the runtime", Wire, func(p *tape) {
			p.edit("closedC", func(e *arcp.Envelope) { e.Payload = &arcp.SessionClose{} })
		}},
		{"an answer twice on one link", Wire, func(p *tape) { p.repeat("ack2", 0) }},
		{"one id, two frames", Wire, func(p *tape) { p.edit("ack2", func(e *arcp.Envelope) { e.ID = "r-accepted1" }) }},
		{"a frame that breaks a rule", Wire, func(p *tape) { p.edit("nothing", func(e *arcp.Envelope) { errorOf(e).Message = "" }) }},
		{"a frame that is no JSON", Wire, func(p *tape) { p.trace[p.find("x1")].Data = []byte("{") }},
		{"another session is resumed", Wire, func(p *tape) {
			p.edit("resumeA", func(e *arcp.Envelope) { e.Payload.(*arcp.SessionHello).Resume.SessionID = sessB })
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := good(t)
			tt.do(p)
			found := Check(p.trace, options())
			if !slices.ContainsFunc(found, func(v Violation) bool { return v.Rule == tt.rule }) {
				t.Errorf("Check = %v, want a violation of %s", found, tt.rule)
			}
		})
	}
}

// What a trace does not show is not held against it.
func TestPartOfTrace(t *testing.T) {
	t.Parallel()
	p := good(t)
	p.drop("end2")
	p.drop("end1")
	o := options()
	o.Whole = false
	if found := Check(p.trace, o); len(found) > 0 {
		t.Errorf("Check of a trace that is not whole = %v", found)
	}
	p = good(t)
	i := p.find("resumeA")
	if found := Check(p.trace[i:p.find("retry1")], o); len(found) > 0 {
		t.Errorf("Check from the resume on = %v", found)
	}
}

// A key is good for its window only.
func TestKeyWindow(t *testing.T) {
	t.Parallel()
	p := good(t)
	p.edit("reaccepted1", func(e *arcp.Envelope) { e.JobID, e.Payload = job3, accepted(job3, "retry1") })
	for i := p.find("retry1"); i < len(p.trace); i++ {
		p.trace[i].At += 24 * time.Hour
	}
	o := options()
	o.Whole = false
	if found := Check(p.trace, o); len(found) > 0 {
		t.Errorf("Check = %v, want nothing: the key had expired", found)
	}
}

func TestLeaks(t *testing.T) {
	t.Parallel()
	p := good(t)
	if got := Leaks(p.trace, options(), []byte("session "+sessA+" of alice opened, job "+job1)); len(got) > 0 {
		t.Errorf("Leaks of a clean log = %q", got)
	}
	for _, secret := range []string{tokenA2, alice} {
		if got := Leaks(p.trace, options(), []byte("level=INFO token="+secret)); !slices.Equal(got, []string{secret}) {
			t.Errorf("Leaks = %q, want %q", got, secret)
		}
	}
}

func TestAround(t *testing.T) {
	t.Parallel()
	p := good(t)
	text := p.trace.Around(p.find("x1again"), 2)
	if n := strings.Count(text, "\n"); n != 5 || !strings.Contains(text, job2) {
		t.Errorf("Around = %d lines\n%s", n, text)
	}
}
