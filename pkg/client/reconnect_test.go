package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

func TestReconnectDefaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   *Reconnect
		want Reconnect
	}{
		{nil, Reconnect{Initial: 100 * time.Millisecond, Max: 10 * time.Second, Jitter: 0.5}},
		{&Reconnect{Off: true}, Reconnect{Off: true, Initial: 100 * time.Millisecond, Max: 10 * time.Second, Jitter: 0.5}},
		{&Reconnect{Initial: time.Minute, Jitter: -1}, Reconnect{Initial: time.Minute, Max: time.Minute}},
		{&Reconnect{Max: time.Second, Jitter: 7}, Reconnect{Initial: 100 * time.Millisecond, Max: time.Second, Jitter: 1}},
	} {
		if got := (&Options{Reconnect: c.in}).withDefaults().Reconnect; *got != c.want {
			t.Errorf("defaults of %+v = %+v, want %+v", c.in, *got, c.want)
		}
	}
}

func TestRetryDoublesUpToItsLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r retry
		p := (&Reconnect{Initial: time.Second, Max: 10 * time.Second, Jitter: -1}).withDefaults()
		var waits []time.Duration
		for {
			wait, ok := r.next(p, time.Minute)
			if !ok {
				break
			}
			waits = append(waits, wait/time.Second)
			time.Sleep(wait)
		}
		if got := fmt.Sprint(waits); got != "[1ns 2ns 4ns 8ns 10ns 10ns 10ns 10ns]" {
			t.Errorf("waits in seconds %s", got)
		}
		r = retry{attempt: 1000}
		if wait, ok := r.next(p, time.Hour); wait != 10*time.Second || !ok {
			t.Errorf("the wait after many attempts = %v, %v", wait, ok)
		}
	})
}

func TestJitterSpreads(t *testing.T) {
	t.Parallel()
	p := (&Reconnect{Initial: time.Second, Jitter: 0.25}).withDefaults()
	seen := map[time.Duration]bool{}
	for range 100 {
		var r retry
		wait, _ := r.next(p, time.Hour)
		if wait < 750*time.Millisecond || wait > time.Second {
			t.Fatalf("wait %v, want 750ms to 1s", wait)
		}
		seen[wait] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d different waits of 100", len(seen))
	}
}

// A link that is welcomed and lost at once, again and again, is not tried for ever, nor without a pause.
func TestALinkThatNeverWorksIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		d := transport.DialerFunc(func(context.Context) (transport.Conn, error) {
			dials++
			ours, theirs := transport.Pipe()
			go func() {
				p := &peer{t: t, conn: theirs, lax: true}
				p.read()
				p.send(benchWelcome)
				_ = theirs.Close("")
			}()
			return ours, nil
		})
		begin := time.Now()
		s, err := Connect(t.Context(), d, &Options{Reconnect: &Reconnect{GiveUp: time.Minute}})
		if err != nil {
			t.Fatal(err)
		}
		<-s.Done()
		if took := time.Since(begin); !errors.Is(s.Err(), ErrLinkLost) || took > time.Minute || dials > 40 {
			t.Errorf("%d dials in %v, then %v", dials, took, s.Err())
		}
	})
}

// An iterator does not end as if its job had when there is no way back to the runtime, however the links end.
func TestALostSessionIsNotTheEndOfItsJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		d := transport.DialerFunc(func(context.Context) (transport.Conn, error) {
			ours, theirs := transport.Pipe()
			if dials++; dials > 1 {
				_ = theirs.Close("nobody listens")
				return ours, nil
			}
			go func() {
				p := &peer{t: t, conn: theirs, lax: true}
				p.read()
				p.send(benchWelcome)
				p.accept(p.read())
				p.thought("job_a", "one")
				_ = theirs.Close("")
			}()
			return ours, nil
		})
		s, err := Connect(t.Context(), d, &Options{Reconnect: &Reconnect{GiveUp: time.Minute}})
		if err != nil {
			t.Fatal(err)
		}
		j, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: "a"})
		if err != nil {
			t.Fatal(err)
		}
		var last error
		for _, err := range j.Events(t.Context()) {
			last = err
		}
		if !errors.Is(last, ErrLinkLost) || errors.Is(last, io.EOF) {
			t.Errorf("Events end with %v, want ErrLinkLost and no io.EOF in it", last)
		}
	})
}

// A second link over an open network does not carry what the first would not have (§14).
func TestRedialKeepsTokensOffTheOpenNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := transport.Pipe()
		conns := []transport.Conn{ours, peerConn{ours, transport.Peer{Addr: "10.0.0.1:80"}}}
		d := transport.DialerFunc(func(context.Context) (transport.Conn, error) {
			c := conns[0]
			conns = conns[1:]
			return c, nil
		})
		go func() {
			p := &peer{t: t, conn: theirs}
			p.read()
			p.send(benchWelcome)
			_ = theirs.Close("")
		}()
		s, err := Connect(t.Context(), d, nil)
		if err != nil {
			t.Fatal(err)
		}
		<-s.Done()
		if !errors.Is(s.Err(), ErrInsecure) {
			t.Errorf("Err() = %v, want ErrInsecure: the resume token is a secret, too", s.Err())
		}
	})
}

func TestStateShowsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := open(t, nil)
		s.welcome.Load().ResumeToken = arcp.MakeSecret("s3cret")
		state := s.State()
		for _, v := range []any{state, &state, struct{ s State }{state}, []State{state}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				if text := fmt.Sprintf(verb, v); strings.Contains(text, "s3cret") || strings.Contains(text, "733363726574") {
					t.Errorf("%s of %T shows the token: %s", verb, v, text)
				}
			}
		}
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "state", state)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "state", state)
		if strings.Contains(log.String(), "s3cret") {
			t.Errorf("the log shows the token: %s", log.String())
		}
		data, err := state.MarshalBinary()
		var back State
		if err := errors.Join(err, back.UnmarshalBinary(data)); err != nil || back.SessionID() != s.ID() || back.of.token.Reveal() != "s3cret" {
			t.Errorf("UnmarshalBinary = %v of %s", err, data)
		}
	})
}

func TestStateRefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	for _, data := range []string{``, `{}`, `{"session":"S"}`, `{"token":"s3cret"}`, `{"session":"S","token":"s3cret","seq":-1}`} {
		var s State
		if err := s.UnmarshalBinary([]byte(data)); !errors.Is(err, arcp.CodeInvalidRequest) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("UnmarshalBinary(%s) = %v, want INVALID_REQUEST without the token", data, err)
		}
	}
	if _, err := (State{}).MarshalBinary(); !errors.Is(err, arcp.CodeInvalidRequest) {
		t.Errorf("MarshalBinary of no state = %v", err)
	}
	if _, err := Resume(t.Context(), nil, State{}, nil); !errors.Is(err, arcp.CodeInvalidRequest) {
		t.Errorf("Resume of no state = %v", err)
	}
}

// guards A17 here: nothing is kept of a job that has ended and that nobody holds, read or not.
func TestNothingIsKeptOfReleasedJobs(t *testing.T) {
	t.Parallel()
	s, p := open(t, nil)
	var gone []weak.Pointer[Job]
	for i := range 300 {
		j := start(t, s, p, fmt.Sprint("a", i))
		p.thought(j.ID(), "unread")
		p.result(j.ID(), `"result":1`)
		if _, err := j.Result(t.Context()); err != nil {
			t.Fatal(err)
		}
		gone = append(gone, weak.Make(j))
		if i%50 == 0 {
			runtime.GC()
		}
	}
	start(t, s, p, "last") // the reader has let go of the one before
	runtime.GC()
	kept := 0
	for _, w := range gone {
		if w.Value() != nil {
			kept++
		}
	}
	if kept > 1 {
		t.Errorf("%d of %d jobs kept", kept, len(gone))
	}
	s.jobs.mu.Lock()
	defer s.jobs.mu.Unlock()
	if len(s.jobs.byID) > 1 || len(s.jobs.ended) > 200 {
		t.Errorf("the table has %d jobs and %d that ended", len(s.jobs.byID), len(s.jobs.ended))
	}
}

func TestCloseDuringTheDial(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := transport.Pipe()
		first := true
		d := transport.DialerFunc(func(ctx context.Context) (transport.Conn, error) {
			if first {
				first = false
				return ours, nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		go func() {
			p := &peer{t: t, conn: theirs}
			p.read()
			p.send(benchWelcome)
			_ = theirs.Close("")
		}()
		s, err := Connect(t.Context(), d, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second) // the dial is under way
		begin := time.Now()
		if err := s.Close(t.Context()); err != nil || time.Since(begin) > 0 {
			t.Errorf("Close = %v after %v", err, time.Since(begin))
		}
		if err := s.Err(); !errors.Is(err, ErrClosed) {
			t.Errorf("Err() = %v, want ErrClosed", err)
		}
	})
}

// guards K2
func TestRenewedTellsOfEachResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		links := make(chan transport.Conn, 3)
		d := transport.DialerFunc(func(context.Context) (transport.Conn, error) {
			ours, theirs := transport.Pipe()
			go func() {
				p := &peer{t: t, conn: theirs}
				for p.read() != nil {
					p.send(benchWelcome)
				}
			}()
			links <- ours
			return ours, nil
		})
		s, err := Connect(t.Context(), d, nil)
		if err != nil {
			t.Fatal(err)
		}
		renewed := func() bool {
			synctest.Wait()
			select {
			case _, ok := <-s.Renewed():
				return ok
			default:
				return false
			}
		}
		if renewed() {
			t.Error("a session that was not resumed was renewed")
		}
		for range 2 {
			_ = (<-links).Close("cut")
			time.Sleep(time.Minute) // longer than it takes to come back
		}
		if !renewed() || renewed() {
			t.Error("two resumes are not told as one")
		}
		s.halt()
		<-s.Done()
		if _, ok := <-s.Renewed(); ok {
			t.Error("the channel of a session that has ended is open")
		}
	})
}

// A job of a State that ends before anybody asks for it is held, with what was not processed of it, however often memory is cleaned.
// guards K2
func TestJobsOfAStateAreHeldUntilTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := transport.Pipe()
		p := &peer{t: t, conn: theirs, seq: 4}
		go func() {
			p.read()
			p.send(benchWelcome)
			p.thought("job_a", "processed")
			p.thought("job_a", "unprocessed")
			p.result("job_a", `"result":1`)
		}()
		state := State{&stateOf{session: "sess_01", token: arcp.MakeSecret("t"), seq: 4, jobs: []stateJob{{ID: "job_a", Index: 5}}}}
		s, err := Resume(t.Context(), dial(ours), state, &Options{Reconnect: once()})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		runtime.GC()
		runtime.GC()
		j, err := s.Attach(t.Context(), "job_a") // there is no subscribe: it has the job or fails
		if err != nil {
			t.Fatal(err)
		}
		ev, err := j.Next(t.Context())
		if err != nil || ev.Body.(*arcp.ThoughtBody).Text != "unprocessed" {
			t.Errorf("Next = %+v, %v, want the event that was not processed", ev, err)
		}
		if _, err := j.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("Next = %v, want io.EOF", err)
		}
		if _, err := j.Result(t.Context()); err != nil {
			t.Errorf("Result = %v", err)
		}
		_ = theirs.Close("end of the test")
		<-s.Done()
	})
}

// Where the end of a job cannot be asked for again it counts as unprocessed until somebody was told. guards K2
func TestAStateBeginsBeforeAnEndThatNobodyWasTold(t *testing.T) {
	t.Parallel()
	s, p := open(t, nil)
	j := start(t, s, p, "a")
	p.result(j.ID(), `"result":1`)
	<-j.Done()
	if of := s.State().of; of.seq != 0 || len(of.jobs) != 1 || of.jobs[0] != (stateJob{ID: j.ID()}) {
		t.Errorf("the state is %+v, want the job from its beginning", of)
	}
	if _, err := j.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Fatalf("Next = %v", err)
	}
	start(t, s, p, "b") // the number of the end has been noted
	if of := s.State().of; of.seq != 1 || len(of.jobs) != 1 || of.jobs[0].ID == j.ID() {
		t.Errorf("the state is %+v, want only what was not read to its end", of)
	}
}
