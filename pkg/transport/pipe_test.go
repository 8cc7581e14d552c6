package transport_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/transport"
)

func TestPipeFrames(t *testing.T) {
	t.Parallel()
	a, b := transport.NewPipe(transport.PipeOptions{Principal: "p"})
	if p := b.Peer(); !p.Secure || !p.Loopback || p.Principal != "p" {
		t.Errorf("Peer = %+v", p)
	}
	frame := []byte("one")
	for _, f := range [][]byte{frame, {}, bytes.Repeat([]byte("x"), 100_000)} {
		if err := a.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Flush(); err != nil {
		t.Fatal(err)
	}
	frame[0] = 'X'
	for _, want := range []string{"> one", "> ", "> " + strings.Repeat("x", 100_000)} {
		got, err := b.Read([]byte("> "))
		if err != nil || string(got) != want {
			t.Fatalf("Read = %.20q, %v, want %.20q", got, err, want)
		}
	}
}

func TestPipeHoldsBackUntilFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		got := make(chan string, 1)
		go func() {
			f, _ := b.Read(nil)
			got <- string(f)
		}()
		_ = a.Write([]byte("x"))
		synctest.Wait()
		if len(got) != 0 {
			t.Error("a frame arrived before Flush")
		}
		_ = a.Flush()
		synctest.Wait()
		if len(got) != 1 {
			t.Error("a frame did not arrive after Flush")
		}
	})
}

func TestPipeBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.NewPipe(transport.PipeOptions{Bytes: 1000})
		sent := 0
		go func() {
			for range 20 {
				if a.Write(make([]byte, 99)) != nil || a.Flush() != nil {
					return
				}
				sent++
			}
			_ = a.Close("")
		}()
		synctest.Wait()
		if sent != 10 {
			t.Errorf("%d frames of 100 bytes fit into 1000", sent)
		}
		for range 20 {
			if _, err := b.Read(nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Read(nil); !errors.Is(err, io.EOF) {
			t.Errorf("Read at the end = %v, want io.EOF", err)
		}
	})
}

func TestPipeLimit(t *testing.T) {
	t.Parallel()
	a, b := transport.NewPipe(transport.PipeOptions{MaxFrame: 4})
	for _, f := range []string{"1234", "12345", "6"} {
		_ = a.Write([]byte(f))
	}
	_ = a.Flush()
	var fe *transport.FrameError
	if f, err := b.Read(nil); string(f) != "1234" {
		t.Errorf("Read = %q, %v", f, err)
	}
	if _, err := b.Read(nil); !errors.As(err, &fe) || fe.Size != 5 || fe.Limit != 4 {
		t.Errorf("Read = %v, want a FrameError of 5 over 4", err)
	}
	if f, err := b.Read(nil); string(f) != "6" {
		t.Errorf("Read behind the large frame = %q, %v", f, err)
	}
}

// Close unblocks both directions at both ends; what was flushed before is still read.
func TestPipeClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.NewPipe(transport.PipeOptions{Bytes: 10})
		_ = b.Write([]byte("last"))
		_ = b.Flush()
		errs := make(chan error, 3)
		go func() {
			for {
				if _, err := b.Read(nil); err != nil {
					errs <- fmt.Errorf("own read: %w", err)
					return
				}
			}
		}()
		go func() {
			for {
				_ = b.Write([]byte("123456789"))
				if err := b.Flush(); err != nil {
					errs <- fmt.Errorf("own write: %w", err)
					return
				}
			}
		}()
		synctest.Wait()
		for range 2 {
			_ = b.Close("over")
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, transport.ErrClosed) {
				t.Errorf("%v, want ErrClosed", err)
			}
		}
		if f, err := a.Read(nil); string(f) != "last" {
			t.Errorf("Read = %q, %v, want what was flushed", f, err)
		}
		if _, err := a.Read(nil); !errors.Is(err, io.EOF) {
			t.Errorf("Read = %v, want io.EOF", err)
		}
		if err := a.Write(nil); !errors.Is(err, transport.ErrClosed) {
			t.Errorf("Write to a closed end = %v, want ErrClosed", err)
		}
	})
}
