package transport_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/arcpkit/arcp/pkg/transport"
)

// readAll gives the frames of c, a refused one as its error's text, and the error that ended it.
func readAll(c transport.Conn) ([]string, error) {
	var got []string
	for {
		f, err := c.Read(nil)
		var fe *transport.FrameError
		switch {
		case errors.As(err, &fe):
			got = append(got, fe.Error())
		case err != nil:
			return got, err
		default:
			got = append(got, string(f))
		}
	}
}

// guards I10 and J5
func TestLinesRead(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 10_000)
	at := strings.Repeat("y", 8000)
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"lines", "a\nb\n", []string{"a", "b"}},
		{"no end", "a\nb", []string{"a", "b"}},
		{"carriage returns", "a\r\nb\r\n", []string{"a", "b"}},
		{"inner carriage return", "a\rb\r\r\n", []string{"a\rb\r"}},
		{"blank lines", "\n\r\n  \t\na\n\n", []string{"a"}},
		{"blank end", "a\n \r", []string{"a"}},
		{"longer than the buffer", strings.Repeat("z", 5000) + "\nb\n", []string{strings.Repeat("z", 5000), "b"}},
		{"at the limit", at + "\nb\n", []string{at, "b"}},
		{"at the limit with carriage return", at + "\r\nb\n", []string{at, "b"}},
		{"one above", at + "y\nb\n", []string{"frame of 8001 bytes exceeds the limit of 8000", "b"}},
		{"too long", long + "\nb\n", []string{"frame of 10000 bytes exceeds the limit of 8000", "b"}},
		{"too long without end", "a\n" + long, []string{"a", "frame of 10000 bytes exceeds the limit of 8000"}},
		{"buffer border at the limit", strings.Repeat("y", 8000) + "\r", []string{at}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for name, r := range map[string]io.Reader{
				"whole": strings.NewReader(tc.in), "bytes": iotest.OneByteReader(strings.NewReader(tc.in)),
				"with EOF": iotest.DataErrReader(strings.NewReader(tc.in)),
			} {
				got, err := readAll(transport.NewLines(r, io.Discard, nil, &transport.LinesOptions{MaxFrame: 8000}))
				if !slices.Equal(got, tc.want) || !errors.Is(err, io.EOF) {
					t.Errorf("%s: frames = %.60q, %v, want %.60q, io.EOF", name, got, err, tc.want)
				}
			}
		})
	}
}

func TestLinesReadError(t *testing.T) {
	t.Parallel()
	want := errors.New("disk on fire")
	r := io.MultiReader(strings.NewReader("a\nhalf"), iotest.ErrReader(want))
	got, err := readAll(transport.NewLines(r, io.Discard, nil, nil))
	if !slices.Equal(got, []string{"a"}) || !errors.Is(err, want) {
		t.Errorf("frames = %q, %v; half a line of a broken stream is none", got, err)
	}
}

// counter counts writes.
type counter struct {
	bytes.Buffer
	writes int
}

func (c *counter) Write(p []byte) (int, error) {
	c.writes++
	return c.Buffer.Write(p)
}

func TestLinesWrite(t *testing.T) {
	t.Parallel()
	var w counter
	c := transport.NewLines(strings.NewReader(""), &w, nil, nil)
	for _, f := range []string{`{"a":1}`, "{\n\"b\":\n2}"} {
		if err := c.Write([]byte(f)); err != nil {
			t.Fatal(err)
		}
	}
	if w.writes != 0 {
		t.Error("written before Flush")
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, want := w.String(), "{\"a\":1}\n{ \"b\": 2}\n"; got != want || w.writes != 1 {
		t.Errorf("wrote %q in %d writes, want %q in one", got, w.writes, want)
	}
	for range 100 {
		_ = c.Write(make([]byte, 10_000))
	}
	if got := w.Len(); got < 900_000 {
		t.Errorf("a million bytes without Flush: %d were written, want all but a batch", got)
	}
}

func TestLinesClose(t *testing.T) {
	t.Parallel()
	pr, pw := io.Pipe()
	c := transport.NewLines(pr, io.Discard, pr, nil)
	done := make(chan error)
	go func() {
		_, err := c.Read(nil)
		done <- err
	}()
	_ = c.Close("")
	_ = c.Close("")
	if err := <-done; !errors.Is(err, transport.ErrClosed) {
		t.Errorf("Read = %v, want ErrClosed", err)
	}
	if err := c.Write(nil); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("Write = %v, want ErrClosed", err)
	}
	if _, err := pw.Write([]byte("x")); err == nil {
		t.Error("the stream is still open")
	}
}
