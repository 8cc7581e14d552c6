// Package proc runs a child process with pipes, in a process group of its own where the system has groups, and leads it out:
// a grace to leave, a word to terminate, another grace, and the end of the whole group.
//
// A group goes by the process id of its leader, and the system may give that id to somebody else once the leader is
// collected and its group is empty. So the group gets its last signal while the leader, which has left, is not yet collected,
// and none after.
package proc

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Options says what to run.
type Options struct {
	// Args is the program and its arguments; the program is looked up as exec.Command does.
	Args []string
	// Dir is the working folder; empty means the current one.
	Dir string
	// Env is the whole environment, "KEY=value" each; nil means this process's own.
	Env []string
	// Stderr receives the standard error; nil discards it.
	Stderr io.Writer
	// PipeStderr makes Process.Stderr, in place of Stderr.
	PipeStderr bool
	// Grace bounds each step of an end, and how long an output is read on when the process is gone.
	Grace time.Duration
	// EndWithParent has the kernel kill the process when this one is killed, where the kernel can. The children of the
	// process are not reached, but their pipes break.
	EndWithParent bool
}

// Process is a running process. Its methods may be called from any goroutine.
type Process struct {
	// Stdin is the process's input; who is done with it closes it.
	Stdin *os.File
	// Stdout is its output, and Stderr its standard error, nil without Options.PipeStderr.
	Stdout, Stderr *Output

	cmd   *exec.Cmd
	grace time.Duration
	gone  chan struct{}
	err   error // how it ended; valid once gone is closed

	mu sync.Mutex
	// Invariant: once over, no signal is sent, for the group's id may be somebody else's.
	over bool
}

// Start starts the process. Every process started must be led out by Leave or End, or be gone by itself, and its pipes closed.
func Start(o Options) (*Process, error) {
	p := &Process{cmd: exec.Command(o.Args[0], o.Args[1:]...), grace: o.Grace, gone: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = o.Dir, o.Env, o.Stderr
	p.cmd.WaitDelay = o.Grace // what left the group and holds the standard error open must not hold up Wait
	ownGroup(p.cmd, o.EndWithParent)
	theirs, err := p.pipes(o.PipeStderr)
	if err == nil {
		err = p.launch(o.EndWithParent)
	}
	for _, f := range theirs {
		_ = f.Close()
	}
	if err != nil {
		p.ClosePipes()
		return nil, err
	}
	return p, nil
}

// pipes connects the process. It returns its ends of the pipes, also when it fails. They are os.Pipe's and not StdoutPipe's: Wait would
// close the latter before the last lines are read.
func (p *Process) pipes(stderr bool) (theirs []*os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return theirs, err
	}
	theirs, p.cmd.Stdin, p.Stdin = append(theirs, r), r, w
	if r, w, err = os.Pipe(); err != nil {
		return theirs, err
	}
	theirs, p.cmd.Stdout, p.Stdout = append(theirs, w), w, &Output{p, r}
	if !stderr {
		return theirs, nil
	}
	if r, w, err = os.Pipe(); err != nil {
		return theirs, err
	}
	theirs, p.cmd.Stderr, p.Stderr = append(theirs, w), w, &Output{p, r}
	return theirs, nil
}

// launch starts the process and waits for it on one goroutine and, for the kernel that ends a process with its parent, on one system
// thread: the parent is the thread that started it.
func (p *Process) launch(onOneThread bool) error {
	started := make(chan error)
	go func() {
		if onOneThread {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
		}
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.wait()
		}
	}()
	return <-started
}

// wait collects the process, and ends what it left behind in its group, which would hold its pipes open.
func (p *Process) wait() {
	if awaitExit(p.cmd.Process.Pid) {
		p.mu.Lock()
		killGroup(p.cmd.Process)
		p.over = true
		p.mu.Unlock()
	}
	p.err = p.cmd.Wait()
	if errors.Is(p.err, exec.ErrWaitDelay) {
		p.err = nil // it left well; only something of its own still held its standard error
	}
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	close(p.gone)
	p.Stdout.hurry()
	if p.Stderr != nil {
		p.Stderr.hurry()
	}
}

// PID is the id that the system gave the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Gone is closed when the process is collected and its group ended.
func (p *Process) Gone() <-chan struct{} { return p.gone }

// Err says how the process ended: nil for status 0, an *exec.ExitError for another. It waits until the process is gone.
func (p *Process) Err() error {
	<-p.gone
	return p.err
}

// Leave gives the process a grace to end by itself, and ends it then. A process that waits for input leaves when Stdin is
// closed, which is the caller's. It returns when the process is gone.
func (p *Process) Leave() {
	if !p.leaves() {
		p.End()
	}
}

// End tells the group to terminate, and kills it after a grace. It returns when the process is gone.
func (p *Process) End() {
	p.signal(terminateGroup)
	if !p.leaves() {
		p.signal(killGroup)
		<-p.gone
	}
}

// Kill kills the group at once. It returns when the process is gone.
func (p *Process) Kill() {
	p.signal(killGroup)
	<-p.gone
}

// Terminate tells the process alone to terminate, where the system can, and does not wait for it; see Gone. Its children are its own to
// end.
func (p *Process) Terminate() {
	p.signal(func(leader *os.Process) {
		if leader.Signal(syscall.SIGTERM) != nil {
			_ = leader.Kill()
		}
	})
}

func (p *Process) signal(send func(*os.Process)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		send(p.cmd.Process)
	}
}

// leaves waits one grace for the process to be gone.
func (p *Process) leaves() bool {
	t := time.NewTimer(p.grace)
	defer t.Stop()
	select {
	case <-p.gone:
		return true
	case <-t.C:
		return false
	}
}

// ClosePipes closes this side of the pipes, and makes blocked reads and writes return.
func (p *Process) ClosePipes() {
	_ = p.Stdin.Close() // a nil file only answers that it is one
	for _, o := range []*Output{p.Stdout, p.Stderr} {
		if o != nil {
			_ = o.f.Close()
		}
	}
}

// Output is what a process writes, to be read from any goroutine.
type Output struct {
	p *Process
	f *os.File
}

// Read reads what the process wrote. It ends, always with io.EOF, with the last process that holds the pipe open, when it is closed, or
// when the process is gone and nothing came for a grace: what left its group may hold the pipe open for ever.
func (o *Output) Read(b []byte) (int, error) {
	select {
	case <-o.p.gone:
		o.hurry()
	default:
	}
	n, err := o.f.Read(b)
	if n == 0 && err != nil {
		return 0, io.EOF
	}
	return n, nil
}

func (o *Output) hurry() { _ = o.f.SetReadDeadline(time.Now().Add(o.p.grace)) }
