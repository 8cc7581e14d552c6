package link_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/transport"
)

// TestFinishBehindWhatWasTaken: what the writer has taken from the source when the end comes counts as sent, and so it is, ahead of the
// last words and behind what was sent before it.
func TestFinishBehindWhatWasTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		var l *link.Link
		q := &queue{}
		q.add("event 1", "event 2")
		q.onFill = func() {
			_ = l.Send(ping("accepted"))
			l.Finish(ping("closed"), "over")
		}
		l = link.New(a, link.Options{})
		end := run(l, ignore)
		l.SetSource(q)
		got := readAll(b)
		if want := []string{"accepted", "event 1", "event 2", "closed"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
		_ = b.Close("")
		<-end
	})
}

// oneWriter is a connection that finds two writers at work at once.
type oneWriter struct {
	transport.Conn
	at      atomic.Int32
	clashed atomic.Bool
}

func (c *oneWriter) alone(f func() error) error {
	if c.at.Add(1) > 1 {
		c.clashed.Store(true)
	}
	defer c.at.Add(-1)
	return f()
}

func (c *oneWriter) Write(p []byte) error { return c.alone(func() error { return c.Conn.Write(p) }) }
func (c *oneWriter) Flush() error         { return c.alone(c.Conn.Flush) }

// TestOneWriter: whoever sends, and whatever wakes the bulk lane, one goroutine at a time writes to the connection. guards J4.
func TestOneWriter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.NewPipe(transport.PipeOptions{Bytes: 1 << 10}) // writers wait for the reader in the middle of a flush
		conn := &oneWriter{Conn: a}
		q := &queue{}
		l := link.New(conn, link.Options{Source: q})
		end := run(l, ignore)
		const senders, each = 8, 50
		for i := range senders {
			go func() {
				for k := range each {
					_ = l.SendWait(t.Context(), ping(fmt.Sprint(i, k)))
					q.add(fmt.Sprint("bulk ", i, k))
					l.Wake()
				}
			}()
		}
		for range 2 * senders * each {
			if _, err := b.Read(nil); err != nil {
				t.Fatal(err)
			}
		}
		l.Close("over")
		_ = readAll(b)
		_ = b.Close("")
		<-end
		if conn.clashed.Load() {
			t.Error("two goroutines wrote to one connection at once")
		}
	})
}
