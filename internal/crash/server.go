package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/arcpkit/arcp/internal/proc"
)

// server is a runtime under test, one process after the other over one folder of data.
type server struct {
	dir  string   // of the round; its log and its address are there
	args []string // the command
	proc *proc.Process
	// ready is closed when the process listens, or is gone.
	ready chan struct{}
	up    bool // it listens; valid once ready is closed
}

// startPatience is how long a server may take to listen. It is there for the case that it never does.
const startPatience = 60 * time.Second

var listening = regexp.MustCompile(`listening on (ws://\S+?)"?(?:\s|$)`)

// start runs the server's next process; extra arguments are for it alone.
func (s *server) start(extra ...string) error {
	p, err := proc.Start(proc.Options{
		Args: append(append([]string{}, s.args...), extra...), Env: append(os.Environ(), "ARCP_CONFIG_DIR="+s.dir),
		PipeStderr: true, Grace: 10 * time.Second, EndWithParent: true,
	})
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "server.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		p.Kill()
		return err
	}
	fmt.Fprintf(log, "--- process %d starts at %s %q\n", p.PID(), time.Now().Format(time.StampMicro), extra)
	s.proc, s.ready, s.up = p, make(chan struct{}), false
	go s.watch(p, log, s.ready)
	return nil
}

// watch keeps the process's log, and tells clients where it listens once it says so.
func (s *server) watch(p *proc.Process, log *os.File, ready chan struct{}) {
	defer func() { _ = log.Close() }()
	told := false
	lines := bufio.NewScanner(p.Stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintln(log, lines.Text())
		if m := listening.FindStringSubmatch(lines.Text()); m != nil && !told {
			told = true
			if replaceFile(filepath.Join(s.dir, addressFile), []byte(m[1])) == nil {
				s.up = true
			}
			close(ready)
		}
	}
	<-p.Gone()
	p.ClosePipes()
	if !told {
		close(ready)
	}
}

// await waits until the server listens.
func (s *server) await() error {
	select {
	case <-s.ready:
	case <-time.After(startPatience):
		return errors.New("the server does not come up")
	}
	if !s.up {
		return fmt.Errorf("the server did not start: %w", s.proc.Err())
	}
	return nil
}

// kill ends the process with SIGKILL.
func (s *server) kill() {
	s.hide()
	s.proc.Kill()
	<-s.ready
	s.hide() // should it have come up just before
}

// hide makes clients find no server: its port may soon be somebody else's.
func (s *server) hide() { _ = os.Remove(filepath.Join(s.dir, addressFile)) }

// gone says whether the process has ended.
func (s *server) gone() bool {
	select {
	case <-s.proc.Gone():
		return true
	default:
		return false
	}
}
