package link_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/transport"
)

const interval = 30 * time.Second

func beat(pings *atomic.Int64) link.Heartbeat {
	return link.Heartbeat{
		Interval: interval,
		Ping: func() *arcp.Envelope {
			pings.Add(1)
			return ping("beat")
		},
		Lost: func() *arcp.Envelope { return ping("lost") },
	}
}

// guards J3: what comes in does not postpone our pings.
func TestPingWhileReceiving(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		var pings atomic.Int64
		l := link.New(a, link.Options{})
		end := run(l, ignore)
		l.SetHeartbeat(beat(&pings))
		go func() { _ = readAll(b) }()
		for range 60 {
			time.Sleep(10 * time.Second)
			put(t, b, text(t, ping("in")))
		}
		synctest.Wait()
		if n := pings.Load(); n != 20 {
			t.Errorf("%d pings in ten minutes of receiving, want 20", n)
		}
		l.Close("")
		<-end
		_ = b.Close("")
	})
}

// A sent frame postpones the next ping by a whole interval.
func TestNoPingWhileSending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		var pings atomic.Int64
		l := link.New(a, link.Options{})
		end := run(l, ignore)
		l.SetHeartbeat(beat(&pings))
		go func() { _ = readAll(b) }()
		for range 60 {
			time.Sleep(20 * time.Second)
			_ = l.Send(ping("out"))
			put(t, b, text(t, ping("in")))
		}
		time.Sleep(interval - time.Nanosecond)
		synctest.Wait()
		if n := pings.Load(); n != 0 {
			t.Errorf("%d pings while sending, want none", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := pings.Load(); n != 1 {
			t.Errorf("%d pings after a silent interval, want 1", n)
		}
		l.Close("")
		<-end
		_ = b.Close("")
	})
}

// guards J3: what goes out does not hide a peer that is gone; two silent intervals are the end, to the instant.
func TestSilentPeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		var pings atomic.Int64
		l := link.New(a, link.Options{})
		end := run(l, ignore)
		l.SetHeartbeat(beat(&pings))
		got := make(chan []string, 1)
		go func() { got <- readAll(b) }()
		time.Sleep(45 * time.Second)
		put(t, b, text(t, ping("last sign of life")))
		last := time.Now()
		var sender sync.WaitGroup
		sender.Go(func() {
			for l.Send(ping("out")) == nil {
				time.Sleep(time.Second)
			}
		})
		defer sender.Wait()
		if err := <-end; !errors.Is(err, link.ErrSilent) {
			t.Errorf("Run = %v, want ErrSilent", err)
		}
		if d := time.Since(last); d != 2*interval {
			t.Errorf("ended %v after the last frame, want %v", d, 2*interval)
		}
		if g := <-got; g[len(g)-1] != "lost" {
			t.Errorf("the last frame was %q, want the last words", g[len(g)-1])
		}
	})
}

// A handler that takes its time is not the peer's silence.
func TestSlowHandlerIsNotSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		var pings atomic.Int64
		l := link.New(a, link.Options{})
		end := run(l, func(*arcp.Envelope) error {
			time.Sleep(10 * interval)
			return nil
		})
		l.SetHeartbeat(beat(&pings))
		go func() { _ = readAll(b) }()
		put(t, b, text(t, ping("work")))
		time.Sleep(9 * interval)
		if err := l.Err(); err != nil {
			t.Errorf("the link ended: %v", err)
		}
		l.Close("")
		<-end
		_ = b.Close("")
	})
}

// A peer that only listens, and answers when asked, is asked while we send all the time.
func TestListenerIsAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		var pings atomic.Int64
		l := link.New(a, link.Options{})
		end := run(l, ignore)
		l.SetHeartbeat(beat(&pings))
		var answers sync.WaitGroup
		answers.Go(func() {
			for {
				frame, err := b.Read(nil)
				if err != nil {
					return
				}
				if e, err := arcp.Decode(frame); err == nil && e.Payload.(*arcp.SessionPing).Nonce == "beat" {
					put(t, b, text(t, ping("pong")))
				}
			}
		})
		for range 600 {
			time.Sleep(time.Second)
			if err := l.Send(ping("out")); err != nil {
				t.Fatalf("the link of a peer that answers ended: %v", l.Err())
			}
		}
		synctest.Wait()
		if n := pings.Load(); n != 20 {
			t.Errorf("%d pings in ten minutes of sending, want 20", n)
		}
		l.Close("")
		<-end
		_ = b.Close("")
		answers.Wait()
	})
}
