package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
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
	ch, err := c.start()
	if err != nil {
		return nil, fmt.Errorf("transport: command %q: %w", c.Args[0], err)
	}
	peer := Peer{Secure: true, Loopback: true, Addr: "command " + c.Args[0], Principal: c.Principal}
	return NewLines(ch, ch.stdin, ch, &LinesOptions{MaxFrame: c.MaxFrame, Peer: peer}), nil
}

func (c *Command) start() (*child, error) {
	// os.Pipe and not StdoutPipe: Wait would close the latter before its last lines are read.
	inR, inW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, inR.Close(), inW.Close())
	}
	grace := c.Grace
	if grace <= 0 {
		grace = DefaultGrace
	}
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = inR, outW, c.Stderr
	cmd.WaitDelay = grace // a grandchild that keeps stderr open must not hold up Wait
	ownGroup(cmd)
	err = cmd.Start()
	_, _ = inR.Close(), outW.Close()
	if err != nil {
		return nil, errors.Join(err, inW.Close(), outR.Close())
	}
	ch := &child{cmd: cmd, stdin: inW, stdout: outR, grace: grace, gone: make(chan struct{})}
	go ch.wait()
	return ch, nil
}

// child is a running process: the reader of its output and the closer of the connection.
type child struct {
	cmd    *exec.Cmd
	stdin  *os.File
	stdout *os.File
	grace  time.Duration
	once   sync.Once
	gone   chan struct{} // closed when the process is collected
	err    error         // how it ended; valid once gone is closed
}

func (c *child) wait() {
	c.err = c.cmd.Wait()
	if errors.Is(c.err, exec.ErrWaitDelay) {
		c.err = nil // the child left well; only something of its own still held its standard error
	}
	killGroup(c.cmd) // what it left behind in its group
	close(c.gone)
}

// Read reads the child's output. The end of it is clean only when the child left with status 0.
func (c *child) Read(p []byte) (int, error) {
	n, err := c.stdout.Read(p)
	if n > 0 || !errors.Is(err, io.EOF) {
		return n, err
	}
	t := time.NewTimer(c.grace)
	defer t.Stop()
	select {
	case <-c.gone:
		if c.err != nil {
			return 0, fmt.Errorf("transport: command %q ended: %w", c.cmd.Args[0], c.err)
		}
	case <-t.C:
	}
	return 0, io.EOF
}

// Close leads the child out, as Command says.
func (c *child) Close() error {
	c.once.Do(func() {
		_ = c.stdin.Close()
		// A child that still has something to say must be able to, or it hangs, or dies of a broken pipe instead of
		// closing its books.
		go func() { _, _ = io.Copy(io.Discard, c.stdout) }()
		steps := []func(*exec.Cmd){terminateGroup, killGroup}
		for _, step := range steps {
			if c.leaves() {
				break
			}
			step(c.cmd)
		}
		<-c.gone
		_ = c.stdout.Close()
	})
	return nil
}

// leaves waits one grace for the child to end.
func (c *child) leaves() bool {
	t := time.NewTimer(c.grace)
	defer t.Stop()
	select {
	case <-c.gone:
		return true
	case <-t.C:
		return false
	}
}
