package transport

import (
	"io"
	"os"
)

// Stdio speaks lines over this process's own standard input and output, as a child that a Command started does. It takes
// the real standard output and points os.Stdout at standard error, so that a stray print cannot break the framing; it
// is therefore to be called once, before anything else starts. It returns io.EOF from Read when the parent closes its
// end. Close gives up both streams.
func Stdio(o *LinesOptions) Conn {
	in, out := ownStream(os.Stdin), ownStream(os.Stdout)
	os.Stdout = os.Stderr
	var r io.ReadCloser = in
	if !interruptible(in) {
		r = newPump(in)
	}
	return NewLines(r, out, closers{r, out}, o)
}

// closers closes all and reports the first error.
type closers []io.Closer

func (c closers) Close() error {
	var first error
	for _, x := range c {
		if err := x.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// pump reads a file whose Read cannot be interrupted, a terminal say, on a goroutine of its own, which Close leaves
// behind until the next byte or the end of the process.
type pump struct {
	pr *io.PipeReader
}

func newPump(f *os.File) *pump {
	pr, pw := io.Pipe()
	go func() {
		_, err := io.Copy(pw, f)
		pw.CloseWithError(err)
	}()
	return &pump{pr: pr}
}

func (p *pump) Read(b []byte) (int, error) { return p.pr.Read(b) }
func (p *pump) Close() error               { return p.pr.Close() }
