package link_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ping(nonce string) *arcp.Envelope {
	return &arcp.Envelope{
		ID: "id-" + nonce, SessionID: "s",
		Payload: &arcp.SessionPing{Nonce: nonce, SentAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
	}
}

// nonce names a frame by its ping's nonce, or by its whole text.
func nonce(frame []byte) string {
	var e arcp.Envelope
	if e.DecodeFrom(slices.Clone(frame)) == nil {
		if p, ok := e.Payload.(*arcp.SessionPing); ok {
			return p.Nonce
		}
	}
	return string(frame)
}

// run runs l beside the test and gives its end.
func run(l *link.Link, handle func(*arcp.Envelope) error) <-chan error {
	end := make(chan error, 1)
	go func() { end <- l.Run(handle) }()
	return end
}

func ignore(*arcp.Envelope) error { return nil }

// readAll reads a connection to its end.
func readAll(c transport.Conn) (got []string) {
	for {
		f, err := c.Read(nil)
		if err != nil {
			return got
		}
		got = append(got, nonce(f))
	}
}

func put(t *testing.T, c transport.Conn, frames ...string) {
	t.Helper()
	for _, f := range frames {
		if err := c.Write([]byte(f)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, e *arcp.Envelope) string {
	t.Helper()
	b, err := e.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSendAndDrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		l := link.New(a, link.Options{})
		end := run(l, ignore)
		var want []string
		for i := range 200 {
			want = append(want, fmt.Sprint(i))
			if err := l.Send(ping(want[i])); err != nil {
				t.Fatal(err)
			}
		}
		got := make(chan []string)
		go func() { got <- readAll(b) }()
		if err := l.Drain(t.Context(), "over"); err != nil {
			t.Errorf("Drain = %v", err)
		}
		if g := <-got; !slices.Equal(g, want) {
			t.Errorf("read %q, want %q", g, want)
		}
		if err := <-end; !errors.Is(err, link.ErrClosed) || !errors.Is(l.Err(), link.ErrClosed) {
			t.Errorf("Run = %v, Err = %v, want ErrClosed", err, l.Err())
		}
		if err := l.Send(ping("late")); !errors.Is(err, link.ErrClosed) {
			t.Errorf("Send after the end = %v, want ErrClosed", err)
		}
	})
}

func TestReceive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		l := link.New(a, link.Options{ReadSlab: 2 << 10})
		var kept []string // aliases the slabs
		end := run(l, func(e *arcp.Envelope) error {
			kept = append(kept, e.Payload.(*arcp.SessionPing).Nonce)
			return nil
		})
		var want []string
		for i := range 300 {
			size := 10 + i%90
			if i%50 == 0 {
				size = 120 // with what surrounds it, more than is left of most slabs
			}
			n := fmt.Sprintf("%d-%s", i, strings.Repeat(string(rune('a'+i%26)), size))
			want = append(want, n)
			put(t, b, text(t, ping(n)))
		}
		_ = b.Close("")
		if err := <-end; !errors.Is(err, io.EOF) {
			t.Errorf("Run = %v, want io.EOF", err)
		}
		if !slices.Equal(kept, want) {
			t.Error("strings kept from earlier frames have changed")
		}
	})
}

func TestLargeFrameOutgrowsTheSlab(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		l := link.New(a, link.Options{})
		var got []int
		end := run(l, func(e *arcp.Envelope) error {
			got = append(got, len(e.ID))
			return nil
		})
		for _, pad := range []int{0, 200_000, 0} {
			put(t, b, strings.Repeat(" ", pad)+text(t, ping("n")))
		}
		_ = b.Close("")
		<-end
		if want := []int{4, 4, 4}; !slices.Equal(got, want) {
			t.Errorf("id lengths = %v, want %v", got, want)
		}
	})
}

// guards I10: a malformed frame is answered and the link goes on; eight in a row close it, what was answered included.
func TestBadFrames(t *testing.T) {
	t.Parallel()
	bad := func(n int) []string { return slices.Repeat([]string{"{"}, n) }
	good := text(t, ping("good"))
	for _, tc := range []struct {
		name    string
		in      []string
		handled int
		answers int
		want    error
	}{
		{"one", []string{"{", good}, 1, 1, io.EOF},
		{"seven, a good one, seven", slices.Concat(bad(7), []string{good}, bad(7)), 1, 14, io.EOF},
		{"eight", slices.Concat([]string{good}, bad(8), []string{good}), 1, 8, link.ErrBadFrames},
		{"one too large", []string{strings.Repeat("x", 5000), good}, 1, 1, io.EOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := transport.NewPipe(transport.PipeOptions{MaxFrame: 4000})
				l := link.New(a, link.Options{OnBadFrame: func(error) *arcp.Envelope { return ping("bad") }})
				handled := 0
				end := run(l, func(*arcp.Envelope) error { handled++; return nil })
				got := make(chan []string, 1)
				go func() { got <- readAll(b) }()
				put(t, b, tc.in...)
				synctest.Wait()
				if tc.want == io.EOF {
					// A pipe's closed end takes nothing: the answers are out by now.
					_ = b.Close("")
				}
				if err := <-end; !errors.Is(err, tc.want) {
					t.Errorf("Run = %v, want %v", err, tc.want)
				}
				if g := <-got; len(g) != tc.answers || handled != tc.handled {
					t.Errorf("%d answers, %d handled, want %d and %d", len(g), handled, tc.answers, tc.handled)
				}
			})
		})
	}
}

// The last words of a handler that refuses reach the peer.
func TestHandlerErrorEndsTheLinkAfterItsAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		l := link.New(a, link.Options{})
		refused := errors.New("refused")
		calls := 0
		end := run(l, func(*arcp.Envelope) error {
			calls++
			_ = l.Send(ping("go away"))
			return refused
		})
		put(t, b, text(t, ping("1")), text(t, ping("2")))
		if got := readAll(b); !slices.Equal(got, []string{"go away"}) {
			t.Errorf("read %q", got)
		}
		if err := <-end; !errors.Is(err, refused) || calls != 1 {
			t.Errorf("Run = %v after %d calls, want the handler's error after one", err, calls)
		}
	})
}

// guards J1: a peer that does not read costs its link, in bounded memory, and never the reader.
func TestControlLaneOverflow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.NewPipe(transport.PipeOptions{Bytes: 1000})
		l := link.New(a, link.Options{ControlBytes: 10_000})
		answered := 0
		end := run(l, func(e *arcp.Envelope) error {
			answered++
			return l.Send(ping("answer"))
		})
		for err := error(nil); err == nil; {
			if err = b.Write([]byte(text(t, ping("ask")))); err == nil {
				err = b.Flush()
			}
		}
		if err := <-end; !errors.Is(err, link.ErrOverflow) {
			t.Errorf("Run = %v, want ErrOverflow", err)
		}
		if answered > 1000 {
			t.Errorf("%d answers were taken into a lane of 10000 bytes", answered)
		}
	})
}

func TestSendWaitWaitsForRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.NewPipe(transport.PipeOptions{Bytes: 1000})
		l := link.New(a, link.Options{ControlBytes: 1000, WriteTimeout: time.Hour})
		end := run(l, ignore)
		sent := 0
		go func() {
			for l.SendWait(context.Background(), ping("x")) == nil {
				sent++
			}
		}()
		synctest.Wait()
		if sent == 0 || sent > 100 {
			t.Errorf("%d frames were taken without a reader", sent)
		}
		before := sent
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.SendWait(ctx, ping("y")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("SendWait = %v, want the context's error", err)
		}
		for range 100 {
			_, _ = b.Read(nil)
		}
		synctest.Wait()
		if sent <= before {
			t.Error("room did not let the waiting sender go on")
		}
		_ = b.Close("")
		<-end
	})
}
