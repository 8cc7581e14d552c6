package ws_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// once is a listener with one connection.
type once struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

func (l *once) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *once) Close() error {
	l.close.Do(func() { close(l.done) })
	return nil
}

func (l *once) Addr() net.Addr { return &net.TCPAddr{} }

// inBubble serves one upgraded connection over a net.Pipe and calls client with its other end.
func inBubble(t *testing.T, o *ws.Options, serve func(transport.Conn), client func(*testing.T, net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		theirs, ours := net.Pipe()
		l := &once{conns: make(chan net.Conn, 1), done: make(chan struct{})}
		l.conns <- theirs
		ctx, cancel := context.WithCancel(context.Background())
		o.Hosts = []string{"localhost"}
		e := ws.Handler(o, func(_ context.Context, c transport.Conn) { serve(c) })
		var wg sync.WaitGroup
		wg.Go(func() { _ = ws.Serve(ctx, l, e, nil) })
		if _, err := io.WriteString(ours, upgrade); err != nil {
			t.Fatal(err)
		}
		var head []byte
		for buf := make([]byte, 512); !bytes.HasSuffix(head, []byte("\r\n\r\n")); {
			n, err := ours.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			head = append(head, buf[:n]...)
		}
		client(t, ours)
		_ = ours.Close()
		cancel()
		wg.Wait()
		if err := e.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// guards T9: a frame that has begun must end; between frames there is all the time in the world.
func TestFrameTimeout(t *testing.T) {
	t.Parallel()
	var end struct {
		err error
		at  time.Time
	}
	frames := 0
	serve := func(c transport.Conn) {
		for {
			if _, err := c.Read(nil); err != nil {
				end.err, end.at = err, time.Now()
				return
			}
			frames++
		}
	}
	inBubble(t, &ws.Options{FrameTimeout: time.Minute}, serve, func(t *testing.T, c net.Conn) {
		const frame = "\x81\x85\x00\x00\x00\x00hello"
		for range 3 {
			_, _ = io.WriteString(c, frame[:8])
			time.Sleep(59 * time.Second)
			_, _ = io.WriteString(c, frame[8:])
			time.Sleep(time.Hour)
		}
		begin := time.Now()
		_, _ = io.WriteString(c, frame[:8])
		time.Sleep(time.Hour)
		synctest.Wait()
		if frames != 3 || end.err == nil || !strings.Contains(end.err.Error(), "more than 1m0s to arrive") {
			t.Errorf("%d frames, then %v; want 3, then a timeout", frames, end.err)
		}
		if d := end.at.Sub(begin); d != time.Minute {
			t.Errorf("the unfinished frame was waited for %v, want 1m", d)
		}
	})
}

// guards J2: a peer that takes nothing costs one write timeout, however many batches it took before.
func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	var end struct {
		err error
		at  time.Time
	}
	serve := func(c transport.Conn) {
		for end.err == nil {
			_ = c.Write([]byte("frame"))
			end.err = c.Flush()
		}
		end.at = time.Now()
	}
	inBubble(t, &ws.Options{WriteTimeout: 20 * time.Second}, serve, func(t *testing.T, c net.Conn) {
		buf := make([]byte, 7)
		for range 3 {
			time.Sleep(19 * time.Second)
			if _, err := io.ReadFull(c, buf); err != nil {
				t.Fatal(err)
			}
		}
		begin := time.Now()
		time.Sleep(time.Hour)
		synctest.Wait()
		if end.err == nil || !strings.Contains(end.err.Error(), "took nothing for 20s") {
			t.Errorf("Flush = %v, want a timeout", end.err)
		}
		if d := end.at.Sub(begin); d != 20*time.Second {
			t.Errorf("the peer was waited for %v, want 20s", d)
		}
	})
}
