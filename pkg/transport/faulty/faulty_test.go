package faulty_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// write sends n numbered frames, each flushed, and returns how many went well and the first error.
func write(c transport.Conn, n int) (int, error) {
	for i := range n {
		err := c.Write(fmt.Append(nil, i+1))
		if err == nil {
			err = c.Flush()
		}
		if err != nil {
			return i, err
		}
	}
	return n, nil
}

// read counts the frames until an error.
func read(c transport.Conn) (int, error) {
	for n := 0; ; n++ {
		if _, err := c.Read(nil); err != nil {
			return n, err
		}
	}
}

func TestPlans(t *testing.T) {
	t.Parallel()
	const frames = 5
	for _, tc := range []struct {
		name          string
		reader        faulty.Plan
		writer        faulty.Plan
		wrote, got    int
		werr, readErr error
	}{
		{name: "none", wrote: 5, got: 5, readErr: io.EOF},
		{name: "cut read", reader: faulty.Plan{CutRead: 3}, wrote: 5, got: 2, readErr: faulty.ErrCut},
		{name: "cut write", writer: faulty.Plan{CutWrite: 3}, wrote: 2, got: 2, werr: faulty.ErrCut, readErr: io.EOF},
		{name: "cut after write", writer: faulty.Plan{CutAfterWrite: 3}, wrote: 2, got: 3, werr: faulty.ErrCut, readErr: io.EOF},
		{name: "lost writes", writer: faulty.Plan{LoseWrite: 3}, wrote: 5, got: 2, readErr: io.EOF},
		{name: "frozen read", reader: faulty.Plan{FreezeRead: 3}, wrote: 5, got: 2, readErr: transport.ErrClosed},
		{name: "frozen write", writer: faulty.Plan{FreezeWrite: 3}, wrote: 2, got: 2, werr: transport.ErrClosed, readErr: io.EOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := transport.Pipe()
				r, w := faulty.New(a, tc.reader), faulty.New(b, tc.writer)
				go func() {
					wrote, err := write(w, frames)
					if tc.reader.CutRead == 0 && (wrote != tc.wrote || !errors.Is(err, tc.werr)) {
						t.Errorf("wrote %d, %v, want %d, %v", wrote, err, tc.wrote, tc.werr)
					}
				}()
				end := func() { _, _ = w.Close(""), r.Close("") }
				timer := time.AfterFunc(time.Minute, end) // by then everybody else is done or frozen
				defer end()
				defer timer.Stop()
				got, err := read(r)
				if tc.readErr == io.EOF && errors.Is(err, transport.ErrClosed) {
					err = io.EOF // both ends are closed in the same instant
				}
				if got != tc.got || !errors.Is(err, tc.readErr) {
					t.Errorf("read %d, %v, want %d, %v", got, err, tc.got, tc.readErr)
				}
			})
		})
	}
}

func TestDelayAndSplit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		r, w := faulty.New(a, faulty.Plan{DelayRead: time.Second}), faulty.New(b, faulty.Plan{DelayWrite: time.Second, Split: true})
		begin := time.Now()
		// Without Split these would not arrive, for nobody flushes.
		for range 3 {
			if err := w.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			if _, err := r.Read(nil); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(begin); got != 6*time.Second {
			t.Errorf("three frames took %v, want 6s", got)
		}
		_ = r.Close("")
		_ = w.Close("")
	})
}

func TestDialer(t *testing.T) {
	t.Parallel()
	inner := transport.DialerFunc(func(context.Context) (transport.Conn, error) {
		a, b := transport.Pipe()
		go func() { _, _ = read(b) }()
		return a, nil
	})
	d := faulty.Dialer(inner, func(dial int) faulty.Plan { return faulty.Plan{CutWrite: dial} })
	for dial := 1; dial <= 3; dial++ {
		c, err := d.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if wrote, err := write(c, 5); wrote != dial-1 || !errors.Is(err, faulty.ErrCut) {
			t.Errorf("dial %d: wrote %d, %v, want %d, ErrCut", dial, wrote, err, dial-1)
		}
	}
}
