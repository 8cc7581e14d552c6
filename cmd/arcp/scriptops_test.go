//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// signal NAME: sends the server a signal.
func signalCommand(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(serverKey{}).(*server)
	sig, ok := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM}[args[0]]
	if !ok {
		ts.Fatalf("no signal %s", args[0])
	}
	ts.Check(s.cmd.Process.Signal(sig))
	s.ending = s.ending || sig == syscall.SIGTERM
}

// logs TEXT: waits until the server has logged it.
func logsCommand(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Value(serverKey{}).(*server).wait(regexp.MustCompile(regexp.QuoteMeta(args[0]))))
}

// get CODE URL FILE [HOST]: asks for a page, which must come with the code, and writes it to the file.
func getCommand(ts *testscript.TestScript, _ bool, args []string) {
	r, err := http.NewRequest(http.MethodGet, args[1], nil)
	ts.Check(err)
	if len(args) > 3 {
		r.Host = args[3]
	}
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), body, 0o600))
	if got := fmt.Sprint(answer.StatusCode); got != args[0] {
		ts.Fatalf("%s: status %s, want %s: %s", args[1], got, args[0], body)
	}
}

// again kills the server and starts it anew at the same address.
func (s *server) again(ts *testscript.TestScript) error {
	_ = s.end(syscall.SIGKILL)
	s.args = append(s.args, "--listen", ts.Getenv("ADDRESS"))
	return s.start(ts)
}

// dies CODE: waits until the server has ended by itself, with that code, and writes its log to the file serve.log.
func diesCommand(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(serverKey{}).(*server)
	<-s.done
	err := s.cmd.Wait()
	s.cmd = nil
	ts.Check(os.WriteFile(ts.MkAbs("serve.log"), []byte(s.log.String()), 0o600))
	if got := fmt.Sprint(codeOf(err)); got != args[0] {
		ts.Fatalf("arcp serve ended with code %s (%v), want %s:\n%s", got, err, args[0], s.log.String())
	}
}
