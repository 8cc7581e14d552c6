package program

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// lines reads lines of bounded length and counts them.
type lines struct {
	r   *bufio.Reader
	max int
	n   int // the number of the last line, from 1
	buf []byte
}

func newLines(r io.Reader, limit int) *lines {
	return &lines{r: bufio.NewReaderSize(r, 32<<10), max: limit}
}

// errLong says that a line was cut; what next returned with it is its beginning, and its rest was skipped.
var errLong = errors.New("the line is too long")

// next returns the next line without its end, valid until the call after. A last line without an end counts.
func (l *lines) next() ([]byte, error) {
	l.buf = l.buf[:0]
	long := false
	for {
		part, err := l.r.ReadSlice('\n')
		if !long {
			l.buf = append(l.buf, part...)
		}
		if len(l.buf) > l.max+1 {
			long, l.buf = true, l.buf[:l.max]
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && len(l.buf) == 0:
			return nil, io.EOF
		}
		l.n++
		if long {
			return l.buf, errLong
		}
		return trimEnd(l.buf), nil
	}
}

func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

// fault names the line and says what is wrong with it; never what it holds, which is for the operator's log.
func (l *lines) fault(problem error) error {
	return fmt.Errorf("line %d of the agent program's output: %w", l.n, problem)
}
