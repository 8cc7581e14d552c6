package sim

import (
	"slices"
	"sync"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

// bug stands between the runtime and its recorder: it turns each frame into those that are sent instead. It may keep what it has seen;
// frames come one at a time.
type bug func(e *arcp.Envelope) []*arcp.Envelope

// planted is the runtime's end of a connection with a bug in it.
type planted struct {
	transport.Conn
	mu  *sync.Mutex
	bug bug
}

func (p *planted) Write(frame []byte) error {
	e, err := arcp.Decode(frame)
	if err != nil {
		return err
	}
	p.mu.Lock()
	out := p.bug(e)
	p.mu.Unlock()
	for _, e := range out {
		f, err := e.AppendJSON(nil)
		if err == nil {
			err = p.Conn.Write(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func same(e *arcp.Envelope) []*arcp.Envelope { return []*arcp.Envelope{e} }

// nth applies a change to the nth frame that is meant, and lets the others pass.
func nth(n int, meant func(*arcp.Envelope) bool, change bug) bug {
	return func(e *arcp.Envelope) []*arcp.Envelope {
		if meant(e) {
			if n--; n == 0 {
				return change(e)
			}
		}
		return same(e)
	}
}

func isType(types ...arcp.MessageType) func(*arcp.Envelope) bool {
	return func(e *arcp.Envelope) bool { return slices.Contains(types, e.Payload.MessageType()) }
}

func isEvent(e *arcp.Envelope) bool { return e.EventSeq > 0 }

func isRefusal(code arcp.ErrorCode) func(*arcp.Envelope) bool {
	return func(e *arcp.Envelope) bool {
		p, ok := e.Payload.(*arcp.SessionError)
		return ok && p.Code == code
	}
}

// renumber sends what fake makes of the frames that are meant, and gives all numbers of that session anew, so that they are without a gap.
func renumber(meant func(*arcp.Envelope) bool, fake bug) bug {
	shift := map[string]int{}
	return func(e *arcp.Envelope) []*arcp.Envelope {
		out := same(e)
		by := shift[e.SessionID]
		if meant(e) {
			out = fake(e)
			shift[e.SessionID] += len(out) - 1
			meant = func(*arcp.Envelope) bool { return false }
		}
		for i, f := range out {
			if f.EventSeq > 0 {
				c := *f
				c.EventSeq = uint64(int(e.EventSeq) + by + i)
				out[i] = &c
			}
		}
		return out
	}
}

func with(e *arcp.Envelope, change func(*arcp.Envelope)) *arcp.Envelope {
	c := *e
	change(&c)
	return &c
}

func thoughtOf(text string) *arcp.JobEvent {
	return &arcp.JobEvent{Kind: arcp.KindThought, TS: time.Now(), Body: &arcp.ThoughtBody{Text: text}}
}

func isAnswerTo(request string) func(*arcp.Envelope) bool {
	return func(e *arcp.Envelope) bool {
		p, ok := e.Payload.(*arcp.JobAccepted)
		return ok && p.RequestID == request
	}
}

// skipForObserver loses the second event of the session that watches, and closes the gap in its numbers.
func skipForObserver() bug {
	watcher := ""
	meant := func(e *arcp.Envelope) bool { return e.SessionID == watcher && e.EventSeq == 2 }
	b := renumber(meant, func(*arcp.Envelope) []*arcp.Envelope { return nil })
	return func(e *arcp.Envelope) []*arcp.Envelope {
		if e.Type == arcp.TypeJobSubscribed {
			watcher = e.SessionID
		}
		return b(e)
	}
}
