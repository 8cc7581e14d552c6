package convo

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/transport"
)

// Side is the side of a conversation that a script plays.
type Side byte

// The sides.
const (
	Client  Side = Side(toRuntime)
	Runtime Side = Side(toClient)
)

// patience is how long an expected frame may take. In a bubble it costs nothing.
const patience = time.Minute

// Host is the side under test: it does what the actions of a script say. Do returns when the action has begun, or with what went wrong
// with it; an action that waits for frames runs on in the background.
type Host interface {
	Do(t *testing.T, verb, args string) error
}

// HostFunc makes a function a Host.
type HostFunc func(t *testing.T, verb, args string) error

// Do calls f.
func (f HostFunc) Do(t *testing.T, verb, args string) error { return f(t, verb, args) }

// Play plays one side of the script on conn and checks what the other side sends. It fails the test at the first step that goes wrong,
// and closes conn in any case.
func (s *Script) Play(t *testing.T, side Side, conn transport.Conn, host Host) {
	t.Helper()
	first := conn
	s.PlayDial(t, side, func() (transport.Conn, error) {
		if first == nil {
			return nil, errors.New("this conversation has one connection")
		}
		c := first
		first = nil
		return c, nil
	}, host)
}

// PlayDial is Play for a script that changes connections: dial gives the first, and another at each "! dial".
func (s *Script) PlayDial(t *testing.T, side Side, dial func() (transport.Conn, error), host Host) {
	t.Helper()
	p := &player{script: s, side: stepKind(side), dial: dial, vars: vars{}}
	if err := p.connect(); err != nil {
		t.Fatal(err)
	}
	defer p.hangUp()
	for i := range s.steps {
		st := &s.steps[i]
		if err := p.step(t, host, st); err != nil {
			t.Fatalf("%s:%d: %c %s\n\t%v", s.Name, st.line, st.kind, st.text, err)
		}
	}
}

type player struct {
	script *Script
	side   stepKind
	dial   func() (transport.Conn, error)
	conn   transport.Conn
	frames chan string // closed at the end of the connection
	vars   vars
}

// connect takes a new connection; the one before is closed by then, or left to end by itself.
func (p *player) connect() error {
	conn, err := p.dial()
	if err != nil {
		return err
	}
	p.conn, p.frames = conn, make(chan string, 1024)
	go pump(conn, p.frames)
	return nil
}

func (p *player) hangUp() {
	_ = p.conn.Close("the conversation is over")
	for range p.frames {
		continue
	}
}

func pump(conn transport.Conn, frames chan<- string) {
	defer close(frames)
	for {
		frame, err := conn.Read(nil)
		var bad *transport.FrameError
		if errors.As(err, &bad) {
			continue
		}
		if err != nil {
			return
		}
		frames <- string(frame)
	}
}

func (p *player) step(t *testing.T, host Host, st *step) error {
	switch st.kind {
	case action:
		verb, args, _ := strings.Cut(p.vars.expand(st.text), " ")
		return host.Do(t, verb, strings.TrimSpace(args))
	case pass:
		time.Sleep(st.wait)
		return nil
	case event:
		return p.event(st.text)
	case p.side:
		if err := p.conn.Write([]byte(p.vars.expand(st.text))); err != nil {
			return err
		}
		return p.conn.Flush()
	default:
		return p.expect(st.text)
	}
}

func (p *player) expect(want string) error {
	select {
	case frame, ok := <-p.frames:
		if !ok {
			return errors.New("the connection ended")
		}
		if err := p.vars.match(want, frame); err != nil {
			return fmt.Errorf("%w\n\tframe: %s", err, frame)
		}
		return nil
	case <-time.After(patience):
		return errors.New("no frame came")
	}
}

func (p *player) event(what string) error {
	switch what {
	case "dial":
		p.hangUp()
		return p.connect()
	case "close":
		return p.conn.Close("as the conversation says")
	case "closed":
		select {
		case frame, ok := <-p.frames:
			if ok {
				return fmt.Errorf("a frame came: %s", frame)
			}
			return nil
		case <-time.After(patience):
			return errors.New("the connection did not end")
		}
	}
	synctest.Wait()
	select {
	case frame, ok := <-p.frames:
		if !ok {
			return errors.New("the connection ended")
		}
		return fmt.Errorf("a frame came: %s", frame)
	default:
		return nil
	}
}
