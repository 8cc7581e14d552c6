package linear

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// use is the input of one operation with a resume token: to present it on a new link, or to speak on the link it was issued on.
type use struct {
	token   string
	present bool
	id      int // of the operation, to name a token that nobody got to see
}

// What comes of it: "refused" or "lost" without an answer, "spoken", or the token of the welcome.
const (
	refused = "refused"
	lost    = "lost"
	spoken  = "spoken"
)

// tokens is the state of a session: the newest token, and the one before for as long as the newest was not seen in use.
type tokens struct{ current, previous string }

// rotation is the model of §6.3. Each welcome has a token of its own, and the one that was presented for it stays good until the new one is
// used: by speaking on its link, or by presenting it. At most two are good at any time. An operation without an answer may have had its
// effect.
func rotation(initial string) porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{tokens{current: initial}} },
		Step: func(state, input, output any) []any {
			s, in, out := state.(tokens), input.(use), output.(string)
			good := in.token == s.current || in.token == s.previous
			switch {
			case in.present && out == lost && good:
				return []any{s, tokens{unseen(in.id), in.token}}
			case in.present && out == refused && good, in.present && out != refused && out != lost && !good:
				return nil
			case in.present && out != refused && out != lost:
				return []any{tokens{out, in.token}}
			case !in.present && out == spoken && in.token != s.current:
				return nil
			case !in.present && out == spoken:
				return []any{tokens{s.current, ""}}
			case !in.present && in.token == s.current:
				return []any{s, tokens{s.current, ""}}
			}
			return []any{s}
		},
	}
	return m.ToModel()
}

func unseen(id int) string { return fmt.Sprint("unseen ", id) }

// race lets many clients use the tokens of one session, old ones and new ones, all at once.
func race(t *testing.T, seed uint64, clients, each int) (initial string, ops []porcupine.Operation) {
	g := open(t)
	p := g.session("alice")
	var mu sync.Mutex
	known := []string{p.token}
	links := []*peer{p}
	var wg sync.WaitGroup
	for i := range clients {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		var link *peer // each speaks on links of its own only
		wg.Go(func() {
			for n := range each {
				if link != nil && r.IntN(2) == 0 {
					g.do(i, use{token: link.token}, func() any { return link.speak() })
					continue
				}
				mu.Lock()
				token := known[max(0, len(known)-1-r.IntN(3))]
				mu.Unlock()
				g.do(i, use{token: token, present: true, id: i*each + n}, func() any {
					next, no := g.dial("alice", &arcp.Resume{SessionID: p.id, ResumeToken: arcp.MakeSecret(token)})
					switch {
					case no:
						return refused
					case next == nil:
						return lost
					}
					link = next
					mu.Lock()
					known, links = append(known, next.token), append(links, next)
					mu.Unlock()
					return next.token
				})
			}
		})
	}
	wg.Wait()
	for _, l := range links {
		l.close()
	}
	return p.token, g.ops
}

// speak says something that is answered at once, if the link still has the session.
func (p *peer) speak() string {
	id := p.write(&arcp.SessionPing{Nonce: "n", SentAt: time.Now()})
	e := p.read(func(e *arcp.Envelope) bool {
		switch a := e.Payload.(type) {
		case *arcp.SessionPong:
			return true
		case *arcp.SessionError:
			return a.RequestID == "" || a.RequestID == id
		}
		return false
	})
	if e != nil && e.Type == arcp.TypeSessionPong {
		return spoken
	}
	return lost
}

// guards A8, A9, A10, A11: of clients that present one generation of tokens, those win that the overlap allows, and no other.
func TestResumeTokens(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		initial, ops := race(t, seed, 4, 12)
		if !porcupine.CheckOperations(rotation(initial), ops) {
			for _, op := range ops {
				t.Logf("%3d-%3d client %d %+v = %v", op.Call, op.Return, op.ClientId, op.Input, op.Output)
			}
			t.Fatalf("seed %d: the history of %d uses is not linearizable", seed, len(ops))
		}
	}
}

// The model refuses histories of runtimes with a bug.
func TestMutantsOfTokens(t *testing.T) {
	t.Parallel()
	present := func(call int64, token, out string) porcupine.Operation {
		return porcupine.Operation{ClientId: int(call), Input: use{token: token, present: true, id: int(call)}, Call: call, Output: out, Return: call + 5}
	}
	speak := func(call int64, token, out string) porcupine.Operation {
		return porcupine.Operation{ClientId: int(call), Input: use{token: token}, Call: call, Output: out, Return: call + 5}
	}
	for _, tt := range []struct {
		name string
		want bool
		ops  []porcupine.Operation
	}{
		{"resumed again and again", true, []porcupine.Operation{present(0, "1", "2"), speak(10, "2", spoken), present(20, "2", "3"), speak(30, "3", spoken)}},
		{"a lost welcome", true, []porcupine.Operation{present(0, "1", lost), present(10, "1", "3"), speak(20, "3", spoken)}},
		{"the old one until the new one is used", true, []porcupine.Operation{present(0, "1", "2"), present(10, "1", "3"), present(20, "1", "4")}},
		{"two at once with one token", true, []porcupine.Operation{present(0, "1", "2"), present(1, "1", "3")}},
		{"a used-up token wins", false, []porcupine.Operation{present(0, "1", "2"), speak(10, "2", spoken), present(20, "1", "3")}},
		{"presenting the new one does not use up the old one", false, []porcupine.Operation{
			present(0, "1", "2"), present(10, "2", "3"), present(20, "1", "4"),
		}},
		{"three are good", false, []porcupine.Operation{present(0, "1", "2"), present(10, "1", "3"), present(20, "2", "4")}},
		{"the overlap is forgotten", false, []porcupine.Operation{present(0, "1", "2"), present(10, "1", refused)}},
		{"the newest is refused", false, []porcupine.Operation{present(0, "1", "2"), present(10, "2", refused)}},
		{"a link that lost the session is heard", false, []porcupine.Operation{present(0, "1", "2"), present(10, "2", "3"), speak(20, "2", spoken)}},
		{"a guess wins", false, []porcupine.Operation{present(0, "0", "2")}},
		{"a lost one cost nothing and everything", false, []porcupine.Operation{present(0, "1", lost), present(10, "1", refused)}},
	} {
		if got := porcupine.CheckOperations(rotation("1"), tt.ops); got != tt.want {
			t.Errorf("%s: linearizable = %v, want %v", tt.name, got, tt.want)
		}
	}
}
