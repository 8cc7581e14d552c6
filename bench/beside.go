package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// beside starts this program a second time in a role, so that a row can weigh one side without the other. It returns the line that the
// other one prints once it is ready; stop ends it.
func beside(role string, args ...string) (line string, stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(self, append([]string{role}, args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() error { return errors.Join(in.Close(), cmd.Wait()) }
	line, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", nil, errors.Join(err, stop())
	}
	return strings.TrimSpace(line), stop, nil
}

// play is what a program started by beside does: a role, until its input ends.
func play(args []string) error {
	switch {
	case args[0] == "runtime" && len(args) == 1:
		return playRuntime()
	case args[0] == "sessions" && len(args) == 3:
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return playSessions(args[1], n)
	}
	return fmt.Errorf("unknown arguments %q", args)
}

func playRuntime() error {
	s, err := open(agents{"quick": quick})
	if err != nil {
		return err
	}
	fmt.Println(s.dialer.URL)
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, s.close())
}

func playSessions(url string, n int) error {
	for range n {
		if _, err := connect(&ws.Dialer{URL: url}); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
