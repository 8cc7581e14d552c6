package program

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// process is a running program with its pipes.
type process struct {
	cmd    *exec.Cmd
	stdin  *os.File
	stdout *os.File
	stderr *os.File
	grace  time.Duration
	gone   chan struct{} // closed when the program is collected and its group killed
	err    error         // how it ended; valid once gone is closed
}

func start(argv []string, dir string, env []string, grace time.Duration) (*process, error) {
	p := &process{cmd: exec.Command(argv[0], argv[1:]...), grace: grace, gone: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = dir, env
	ownGroup(p.cmd)
	// os.Pipe and not StdoutPipe: Wait would close the latter before the last lines are read.
	var theirs [3]*os.File
	var err error
	if theirs[0], p.stdin, err = os.Pipe(); err == nil {
		if p.stdout, theirs[1], err = os.Pipe(); err == nil {
			p.stderr, theirs[2], err = os.Pipe()
		}
	}
	if err == nil {
		p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = theirs[0], theirs[1], theirs[2]
		err = p.launch()
	}
	for _, f := range theirs {
		_ = f.Close() // a nil file only answers that it is one
	}
	if err != nil {
		p.closePipes()
		return nil, err
	}
	return p, nil
}

// launch starts the program and waits for it, both on one system thread: where the kernel ends a program with its parent,
// the parent is the thread that started it.
func (p *process) launch() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.wait()
		}
	}()
	return <-started
}

func (p *process) closePipes() {
	for _, f := range []*os.File{p.stdin, p.stdout, p.stderr} {
		_ = f.Close()
	}
}

func (p *process) wait() {
	p.err = p.cmd.Wait()
	killGroup(p.cmd) // whatever it left behind, which would hold its pipes open
	close(p.gone)
	p.hurry(p.stdout)
	p.hurry(p.stderr)
}

// hurry ends the reading of f when nothing comes for a grace: something that left the group may hold it open for ever.
func (p *process) hurry(f *os.File) { _ = f.SetReadDeadline(time.Now().Add(p.grace)) }

// leave waits a grace for the program to end by itself, then ends it.
func (p *process) leave() {
	if !p.leaves() {
		p.end()
	}
}

// end tells the group to terminate and kills it after a grace; it returns when the program is collected.
func (p *process) end() {
	select {
	case <-p.gone:
		return
	default:
	}
	terminateGroup(p.cmd)
	if !p.leaves() {
		killGroup(p.cmd)
		<-p.gone
	}
}

func (p *process) leaves() bool {
	t := time.NewTimer(p.grace)
	defer t.Stop()
	select {
	case <-p.gone:
		return true
	case <-t.C:
		return false
	}
}

// ending says how the program ended, once it has.
func (p *process) ending() string {
	<-p.gone
	var exit *exec.ExitError
	switch {
	case p.err == nil:
		return "ended"
	case errors.As(p.err, &exit):
		return fmt.Sprintf("ended with %s", exit.ProcessState)
	default:
		return "ended in a way that is not known"
	}
}

// output reads one of the pipes; see hurry.
type output struct {
	p *process
	f *os.File
}

func (o output) Read(b []byte) (int, error) {
	select {
	case <-o.p.gone:
		o.p.hurry(o.f)
	default:
	}
	n, err := o.f.Read(b)
	if n == 0 && err != nil {
		return 0, io.EOF
	}
	return n, nil
}
