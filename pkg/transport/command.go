package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/arcpkit/arcp/internal/proc"
)

// DefaultGrace is how long a child process has to leave at each step of a close.
const DefaultGrace = 2 * time.Second

// Command is a Dialer that starts a child process for each connection and speaks lines over its standard input and
// output (§4.2). The child leads a process group of its own where the system has groups.
//
// Closing the connection closes the child's input; a child that has not left after Grace is told to terminate, and after
// another Grace the whole group is killed. Close returns when the child is gone and collected.
type Command struct {
	// Args is the program and its arguments; the program is looked up as exec.Command does.
	Args []string
	// Dir is the working folder; empty means the current one.
	Dir string
	// Env is the whole environment, "KEY=value" each; nil means this process's own.
	Env []string
	// Stderr receives the child's standard error; nil discards it.
	Stderr io.Writer
	// Grace bounds each step of a close; 0 means DefaultGrace.
	Grace time.Duration
	// MaxFrame refuses longer lines, in bytes; 0 means DefaultMaxFrame.
	MaxFrame int
	// Principal is what Peer says of the child.
	Principal string
}

// Dial starts the child. The context bounds the start only.
func (c *Command) Dial(ctx context.Context) (Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(c.Args) == 0 || c.Args[0] == "" {
		return nil, errors.New("transport: command: Args is empty")
	}
	grace := c.Grace
	if grace <= 0 {
		grace = DefaultGrace
	}
	p, err := proc.Start(proc.Options{Args: c.Args, Dir: c.Dir, Env: c.Env, Stderr: c.Stderr, Grace: grace})
	if err != nil {
		return nil, fmt.Errorf("transport: command %q: %w", c.Args[0], err)
	}
	ch := &child{Process: p, name: c.Args[0], grace: grace}
	peer := Peer{Secure: true, Loopback: true, Addr: "command " + c.Args[0], Principal: c.Principal}
	return NewLines(ch, ch.Stdin, ch, &LinesOptions{MaxFrame: c.MaxFrame, Peer: peer}), nil
}

// child is a running process: the reader of its output and the closer of the connection.
type child struct {
	*proc.Process
	name  string
	grace time.Duration
	once  sync.Once
}

// Read reads the child's output. The end of it is clean only when the child left with status 0.
func (c *child) Read(p []byte) (int, error) {
	n, err := c.Stdout.Read(p)
	if err == nil {
		return n, nil
	}
	t := time.NewTimer(c.grace)
	defer t.Stop()
	select {
	case <-c.Gone():
		if err := c.Err(); err != nil {
			return 0, fmt.Errorf("transport: command %q ended: %w", c.name, err)
		}
	case <-t.C:
	}
	return 0, io.EOF
}

// Close leads the child out, as Command says.
func (c *child) Close() error {
	c.once.Do(func() {
		_ = c.Stdin.Close()
		// A child that still has something to say must be able to, or it hangs, or dies of a broken pipe instead of
		// closing its books.
		go func() { _, _ = io.Copy(io.Discard, c.Stdout) }()
		c.Leave()
		c.ClosePipes()
	})
	return nil
}
