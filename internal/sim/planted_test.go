package sim

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/internal/invariant"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// converse plays one conversation of three clients with a runtime that has a bug, and returns what the checker says.
func converse(t *testing.T, b bug) []invariant.Violation {
	w := open(t, 0, single)
	var mu sync.Mutex
	w.wrap = func(c transport.Conn) transport.Conn { return &planted{Conn: c, mu: &mu, bug: b} }
	owner, observer, stranger := w.scripted(1, "alice"), w.scripted(2, "alice"), w.scripted(3, "bob")
	first := arcp.JobSubmit{Agent: "work", Input: arcp.RawJSON(`{"seed":1,"steps":12,"pause":1000,"manner":"result"}`), IdempotencyKey: "k"}
	owner.say(&first)
	observer.pause()
	w.mu.Lock()
	job := w.jobs[0]
	w.mu.Unlock()
	observer.say(&arcp.JobSubscribe{JobID: job, History: true})
	stranger.say(&arcp.JobSubscribe{JobID: job})
	stranger.say(&arcp.JobSubscribe{JobID: "job_00000000000000000000000000"})
	owner.line.close()
	owner.resume()
	owner.say(&first)
	clash := first
	clash.Input = arcp.RawJSON(`{}`)
	owner.say(&clash)
	owner.say(&arcp.JobSubmit{Agent: "work", Input: arcp.RawJSON(`{"seed":2,"steps":2,"manner":"forever"}`)})
	w.mu.Lock()
	second := w.jobs[len(w.jobs)-1]
	w.mu.Unlock()
	owner.say(&arcp.JobCancel{JobID: second})
	time.Sleep(time.Minute)
	stranger.say(&arcp.SessionClose{})
	for _, b := range []*bare{owner, observer, stranger} {
		b.line.close()
	}
	w.shutdown(time.Minute)
	return invariant.Check(w.runtimes.Trace(), invariant.Options{Principal: principalOf, Whole: true})
}

// scripted is a client that does nothing by chance.
func (w *world) scripted(actor uint64, principal string) *bare {
	b := newBare(w, actor, principal)
	b.features = arcp.Features()
	b.line = b.dial(faulty.Plan{}, nil)
	if !b.line.open() {
		w.t.Fatal("no session")
	}
	b.line.patient()
	return b
}

// resume links the session again, two events behind where it is.
func (b *bare) resume() {
	b.mu.Lock()
	r := &arcp.Resume{SessionID: b.id, ResumeToken: arcp.MakeSecret(b.token), LastEventSeq: b.last - min(b.last, 2)}
	b.mu.Unlock()
	b.line = b.dial(faulty.Plan{}, r)
	if b.line.open() {
		b.line.patient()
	}
}

func (b *bare) say(p arcp.Payload) {
	e := &arcp.Envelope{ID: b.nextID(), SessionID: b.id, Payload: p}
	if c, ok := p.(*arcp.JobCancel); ok {
		e.JobID = c.JobID
	}
	b.line.write(e)
	b.pause()
}

// pause lets everything that follows from the last act happen, and a second pass.
func (b *bare) pause() {
	time.Sleep(time.Second)
	synctest.Wait()
}

// Bugs in a runtime, each seen by the checker in a conversation that is not about it. guards A3, A4, B1, B2, B4, B11, C1, C2, C7, D3
func TestPlantedBugs(t *testing.T) {
	t.Parallel()
	terminal := isType(arcp.TypeJobResult, arcp.TypeJobError)
	for _, tt := range []struct {
		name string
		rule invariant.Rule
		make func() bug
	}{
		{"none", "", func() bug { return same }},
		{"sends an event twice", invariant.Numbers, func() bug {
			return nth(3, isEvent, func(e *arcp.Envelope) []*arcp.Envelope { return []*arcp.Envelope{e, e} })
		}},
		{"loses an event", invariant.Numbers, func() bug {
			return nth(2, isEvent, func(*arcp.Envelope) []*arcp.Envelope { return nil })
		}},
		{"swaps two events", invariant.Numbers, func() bug {
			var held *arcp.Envelope
			return func(e *arcp.Envelope) []*arcp.Envelope {
				switch {
				case held != nil && held.EventSeq == 2 && held.SessionID == e.SessionID && isEvent(e):
					out := []*arcp.Envelope{e, held}
					held = &arcp.Envelope{}
					return out
				case held == nil && e.EventSeq == 2:
					held = e
					return nil
				}
				return same(e)
			}
		}},
		{"numbers each link from 1", invariant.Numbers, func() bug {
			var base uint64
			welcomes := 0
			var resumed string
			return func(e *arcp.Envelope) []*arcp.Envelope {
				if e.Type == arcp.TypeSessionWelcome {
					if welcomes++; welcomes == 4 {
						resumed = e.SessionID
					}
				}
				if !isEvent(e) || e.SessionID != resumed {
					return same(e)
				}
				base++
				return same(with(e, func(e *arcp.Envelope) { e.EventSeq = base }))
			}
		}},
		{"replays something else", invariant.Numbers, func() bug {
			seen := map[string]bool{}
			return func(e *arcp.Envelope) []*arcp.Envelope {
				k := e.SessionID + e.ID
				if isEvent(e) && seen[k] {
					return same(with(e, func(e *arcp.Envelope) { e.Payload = thoughtOf("other") }))
				}
				seen[k] = isEvent(e)
				return same(e)
			}
		}},
		{"emits after the end", invariant.OneEnd, func() bug {
			return renumber(terminal, func(e *arcp.Envelope) []*arcp.Envelope {
				return []*arcp.Envelope{e, with(e, func(e *arcp.Envelope) {
					e.ID, e.Payload = arcp.EventID(e.JobID, 99), thoughtOf("late")
				})}
			})
		}},
		{"ends twice", invariant.OneEnd, func() bug {
			return renumber(terminal, func(e *arcp.Envelope) []*arcp.Envelope {
				return []*arcp.Envelope{e, with(e, func(e *arcp.Envelope) { e.ID = arcp.EventID(e.JobID, 99) })}
			})
		}},
		{"never ends", invariant.EveryEnd, func() bug {
			return func(e *arcp.Envelope) []*arcp.Envelope {
				if terminal(e) {
					return nil
				}
				return same(e)
			}
		}},
		{"shows an observer other events", invariant.OneLog, func() bug {
			var owner string
			return func(e *arcp.Envelope) []*arcp.Envelope {
				if e.Type == arcp.TypeJobAccepted && owner == "" {
					owner = e.SessionID
				}
				if e.Type == arcp.TypeJobEvent && e.SessionID != owner && strings.HasSuffix(e.ID, ".3") {
					return same(with(e, func(e *arcp.Envelope) { e.Payload = thoughtOf("redacted") }))
				}
				return same(e)
			}
		}},
		{"leaves one out for an observer and numbers on", invariant.OneLog, skipForObserver},
		{"accepts after the first event", invariant.OneLog, func() bug {
			var held *arcp.Envelope
			done := false
			return func(e *arcp.Envelope) []*arcp.Envelope {
				switch {
				case e.Type == arcp.TypeJobAccepted && !done:
					held, done = e, true
					return nil
				case held != nil && isEvent(e):
					out := []*arcp.Envelope{e, held}
					held = nil
					return out
				}
				return same(e)
			}
		}},
		{"shows somebody's resume token", invariant.Secrecy, func() bug {
			token := ""
			return func(e *arcp.Envelope) []*arcp.Envelope {
				if p, ok := e.Payload.(*arcp.SessionWelcome); ok {
					token = p.ResumeToken.Reveal()
				}
				if e.Type == arcp.TypeJobEvent && strings.HasSuffix(e.ID, ".2") {
					return same(with(e, func(e *arcp.Envelope) { e.Payload = thoughtOf("token " + token) }))
				}
				return same(e)
			}
		}},
		{"never rotates the token", invariant.Secrecy, func() bug {
			tokens := map[string]arcp.Secret{}
			return func(e *arcp.Envelope) []*arcp.Envelope {
				if p, ok := e.Payload.(*arcp.SessionWelcome); ok {
					if old, again := tokens[e.SessionID]; again {
						p.ResumeToken = old
					}
					tokens[e.SessionID] = p.ResumeToken
				}
				return same(e)
			}
		}},
		{"says on which link another session is", invariant.Wire, func() bug {
			other := ""
			return func(e *arcp.Envelope) []*arcp.Envelope {
				if e.Type == arcp.TypeSessionWelcome && other == "" {
					other = e.SessionID
				}
				if e.Type == arcp.TypeJobSubscribed {
					return same(with(e, func(e *arcp.Envelope) { e.SessionID = other }))
				}
				return same(e)
			}
		}},
		{"tells a stranger of a job", invariant.Strangers, func() bug {
			job := ""
			return func(e *arcp.Envelope) []*arcp.Envelope {
				if e.Type == arcp.TypeJobAccepted {
					job = e.JobID
				}
				if p, ok := e.Payload.(*arcp.SessionClosed); ok {
					p.Reason = "of " + job + " still runs"
				}
				return same(e)
			}
		}},
		{"has two answers for what cannot be seen", invariant.Strangers, func() bug {
			return nth(1, isRefusal(arcp.CodeJobNotFound), func(e *arcp.Envelope) []*arcp.Envelope {
				e.Payload.(*arcp.SessionError).Message = "not yours"
				return same(e)
			})
		}},
		{"makes a second job of one key", invariant.Keys, func() bug {
			return nth(1, isAnswerTo("c1_4"), func(e *arcp.Envelope) []*arcp.Envelope {
				e.JobID = "job_11111111111111111111111111"
				e.Payload.(*arcp.JobAccepted).JobID = e.JobID
				return same(e)
			})
		}},
		{"takes a key with another fingerprint", invariant.Keys, func() bug {
			var first *arcp.Envelope
			return func(e *arcp.Envelope) []*arcp.Envelope {
				if e.Type == arcp.TypeJobAccepted && first == nil {
					first = e
				}
				p, ok := e.Payload.(*arcp.SessionError)
				if !ok || p.Code != arcp.CodeDuplicateKey {
					return same(e)
				}
				accepted := *first.Payload.(*arcp.JobAccepted)
				accepted.RequestID = p.RequestID
				return same(with(e, func(e *arcp.Envelope) { e.JobID, e.Payload = accepted.JobID, &accepted }))
			}
		}},
		{"does what it refused", invariant.NoSideEffect, func() bug {
			return nth(1, isType(arcp.TypeJobCancelled), func(e *arcp.Envelope) []*arcp.Envelope {
				refusal := with(e, func(e *arcp.Envelope) {
					e.ID = "r"
					e.Payload = &arcp.SessionError{
						Code: arcp.CodePermissionDenied, Message: "no", RequestID: e.Payload.(*arcp.JobCancelled).RequestID,
					}
				})
				return []*arcp.Envelope{refusal, e}
			})
		}},
		{"answers everybody", invariant.NoSideEffect, func() bug {
			return nth(1, isType(arcp.TypeJobSubscribed), func(e *arcp.Envelope) []*arcp.Envelope {
				e.Payload.(*arcp.JobSubscribed).RequestID = "somebody's"
				return same(e)
			})
		}},
		{"cancels and ends in success", invariant.OneEnd, func() bug {
			cancelled := ""
			return func(e *arcp.Envelope) []*arcp.Envelope {
				if e.Type == arcp.TypeJobCancelled {
					cancelled = e.JobID
				}
				if e.Type == arcp.TypeJobError && e.JobID == cancelled {
					return same(with(e, func(e *arcp.Envelope) {
						e.Payload = &arcp.JobResult{JobID: e.JobID, FinalStatus: arcp.StatusSuccess, Result: arcp.RawJSON("1"), Output: arcp.RawJSON("1")}
					}))
				}
				return same(e)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				found := converse(t, tt.make())
				switch {
				case tt.rule == "" && len(found) > 0:
					t.Errorf("Check = %v, want nothing", found)
				case tt.rule != "" && !slices.ContainsFunc(found, func(v invariant.Violation) bool { return v.Rule == tt.rule }):
					t.Errorf("Check = %v, want a violation of %s", found, tt.rule)
				}
			})
		})
	}
}
