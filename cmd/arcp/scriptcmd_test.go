//go:build unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// server is the `arcp serve` of one script.
type server struct {
	cmd  *exec.Cmd
	args []string      // of the command line
	done chan struct{} // closed when its standard error has ended

	ending bool // it was sent SIGTERM; a second one would end it at once

	mu   sync.Mutex
	log  strings.Builder
	said chan struct{} // closed and replaced with each line

	fifos map[string]*os.File // opened for reading
	proxy *proxy              // in front of it
}

type serverKey struct{}

var (
	listening = regexp.MustCompile(`listening on ([^" ]+)`)
	operating = regexp.MustCompile(`health and metrics at http://([^" ]+)`)
)

// serve [flags]: starts `arcp serve` on a free port, waits until it listens and sets ARCP_URL, ADDRESS, and OPS to where --ops answers.
func serveCommand(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(serverKey{}).(*server)
	s.args = append([]string{"arcp", "serve", "--listen", "127.0.0.1:0"}, args...)
	ts.Defer(func() { s.end(syscall.SIGKILL) })
	ts.Check(s.start(ts))
	url := s.find(listening)
	ts.Setenv("ARCP_URL", url)
	ts.Setenv("ADDRESS", strings.TrimSuffix(strings.TrimPrefix(url, "ws://"), "/arcp"))
	ts.Setenv("OPS", s.find(operating))
}

// start starts the server and waits until it listens.
func (s *server) start(ts *testscript.TestScript) error {
	s.ending = false
	s.cmd = command(ts, s.args)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.done, s.said = make(chan struct{}), make(chan struct{})
	s.log.Reset()
	go func() {
		defer close(s.done)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			s.mu.Lock()
			s.log.WriteString(lines.Text() + "\n")
			close(s.said)
			s.said = make(chan struct{})
			s.mu.Unlock()
		}
	}()
	return s.wait(listening)
}

// wait waits until a line of the server's log matches.
func (s *server) wait(line *regexp.Regexp) error {
	for {
		s.mu.Lock()
		log, said := s.log.String(), s.said
		s.mu.Unlock()
		if line.MatchString(log) {
			return nil
		}
		select {
		case <-said:
		case <-s.done:
			if s.find(line) != "" {
				return nil
			}
			return fmt.Errorf("arcp serve ended without %s: %s", line, log)
		}
	}
}

// find returns what the first group of a pattern matches in the log, or all of the match.
func (s *server) find(pattern *regexp.Regexp) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := pattern.FindStringSubmatch(s.log.String())
	if m == nil {
		return ""
	}
	return m[len(m)-1]
}

// end ends the server and waits for it.
func (s *server) end(sig os.Signal) error {
	if s.cmd == nil {
		return nil
	}
	if sig != syscall.SIGTERM || !s.ending {
		_ = s.cmd.Process.Signal(sig)
	}
	<-s.done
	err := s.cmd.Wait()
	s.cmd = nil
	return err
}

// end: ends the server in good order and writes its log to the file serve.log. It must end with status 0.
func endCommand(ts *testscript.TestScript, _ bool, _ []string) {
	s := ts.Value(serverKey{}).(*server)
	err := s.end(syscall.SIGTERM)
	ts.Check(os.WriteFile(ts.MkAbs("serve.log"), []byte(s.log.String()), 0o600))
	ts.Check(err)
}

// exits CODE PROGRAM [ARG]...: runs a program that must end with that code.
func exitsCommand(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	if got := codeOf(err); got != want {
		ts.Fatalf("exit code %d (%v), want %d", got, err, want)
	}
}

// at TEXT int|twice|kill|again|cut CODE PROGRAM [ARG]...: runs a program, and when TEXT stands on its standard error interrupts it, and with
// twice again when it says what that does, kills the server, for again to start it anew at the same address, or cuts what goes through the proxy; then it makes the file acted. The
// program must end with the code; its standard error goes to the file at.log and its standard output to at.out.
func atCommand(ts *testscript.TestScript, _ bool, args []string) {
	text, action := args[0], args[1]
	want, err := strconv.Atoi(args[2])
	ts.Check(err)
	cmd := command(ts, args[3:])
	var stdout strings.Builder
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	var seen strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		seen.WriteString(lines.Text() + "\n")
		if !strings.Contains(lines.Text(), text) {
			continue
		}
		ts.Check(act(ts, action, cmd))
		ts.Check(os.WriteFile(ts.MkAbs("acted"), nil, 0o600))
		text = "\x00"
		if action == "twice" {
			text, action = "once more", "int"
		}
	}
	code := codeOf(cmd.Wait())
	ts.Check(os.WriteFile(ts.MkAbs("at.log"), []byte(seen.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("at.out"), []byte(stdout.String()), 0o600))
	if code != want {
		ts.Fatalf("exit code %d, want %d; standard error:\n%s", code, want, seen.String())
	}
}

func act(ts *testscript.TestScript, action string, cmd *exec.Cmd) error {
	s := ts.Value(serverKey{}).(*server)
	switch action {
	case "kill":
		_ = s.end(syscall.SIGKILL)
		return nil
	case "again":
		return s.again(ts)
	case "cut":
		s.proxy.cut()
		return nil
	default:
		return cmd.Process.Signal(syscall.SIGINT)
	}
}

func codeOf(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		return -1
	}
}

// command prepares a program as `exec` does.
func command(ts *testscript.TestScript, args []string) *exec.Cmd {
	path := args[0]
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(filepath.ListSeparator)) {
		if _, err := os.Stat(filepath.Join(dir, args[0])); err == nil {
			path = filepath.Join(dir, args[0])
			break
		}
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "WORK", "ARCP_CONFIG_DIR", "ARCP_URL", "ARCP_TOKEN", "ARCP_GIVE_UP", "PYTHONDONTWRITEBYTECODE", "GORACE"} {
		if v := ts.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	return cmd
}

// put NAME FILE: sets the variable to what stands in the file, or in stdout or stderr.
func putCommand(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// mode FILE OCTAL: the file's permissions must be these.
func modeCommand(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}

// fifo NAME: makes a fifo and opens it for reading, so that `eof NAME` can wait until everybody who opened it for writing
// has ended.
func fifoCommand(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	ts.Check(syscall.Mkfifo(path, 0o600))
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	ts.Check(err)
	ts.Defer(func() { _ = f.Close() })
	s := ts.Value(serverKey{}).(*server)
	if s.fifos == nil {
		s.fifos = map[string]*os.File{}
	}
	s.fifos[args[0]] = f
}

func eofCommand(ts *testscript.TestScript, _ bool, args []string) {
	_, err := io.ReadAll(ts.Value(serverKey{}).(*server).fifos[args[0]])
	ts.Check(err)
}
