package link_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/transport"
)

func ahead(c transport.Conn) *link.Link {
	return link.New(c, link.Options{ReadAhead: true})
}

// TestAheadKeepsOrder: frames and malformed ones come in the order of the wire, however slow the handler is.
func TestAheadKeepsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := transport.Pipe()
		var got []string
		end := run(ahead(ours), func(e *arcp.Envelope) error {
			time.Sleep(time.Millisecond)
			got = append(got, e.Payload.(*arcp.SessionPing).Nonce)
			return nil
		})
		go func() {
			for i := range 2000 {
				put(t, theirs, text(t, ping(fmt.Sprint(i))))
			}
			put(t, theirs, "nonsense", text(t, ping("last")))
			_ = theirs.Close("")
		}()
		if err := <-end; !errors.Is(err, io.EOF) {
			t.Errorf("Run = %v, want io.EOF", err)
		}
		for i, n := range got[:2000] {
			if n != fmt.Sprint(i) {
				t.Fatalf("frame %d is %s", i, n)
			}
		}
		if len(got) != 2001 || got[2000] != "last" {
			t.Errorf("%d frames, want 2001", len(got))
		}
	})
}

// TestAheadIsBounded: what a stuck handler does not take stays with the peer, and the link still ends. guards J5.
func TestAheadIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := transport.Pipe()
		stuck := make(chan struct{})
		l := ahead(ours)
		end := run(l, func(*arcp.Envelope) error { <-stuck; return nil })
		sent := 0
		go func() {
			frame := text(t, ping(strings.Repeat("x", 100)))
			for theirs.Write([]byte(frame)) == nil && theirs.Flush() == nil {
				sent += len(frame)
			}
		}()
		synctest.Wait()
		if sent > 4<<20 {
			t.Errorf("%d bytes were taken while the handler stood still", sent)
		}
		l.Close("enough")
		time.Sleep(time.Minute)
		close(stuck)
		if err := <-end; !errors.Is(err, link.ErrClosed) {
			t.Errorf("Run = %v, want ErrClosed", err)
		}
		_ = theirs.Close("")
	})
}

// TestAheadHandlerError ends the link and the goroutine that reads.
func TestAheadHandlerError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := transport.Pipe()
		enough := errors.New("enough")
		end := run(ahead(ours), func(*arcp.Envelope) error { return enough })
		put(t, theirs, text(t, ping("1")), text(t, ping("2")))
		readAll(theirs)
		if err := <-end; !errors.Is(err, enough) {
			t.Errorf("Run = %v, want the handler's error", err)
		}
		_ = theirs.Close("")
	})
}
