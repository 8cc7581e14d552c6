//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package proc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// daemonVar makes the test binary a program that leaves something behind, outside its group, until nobody writes to a fifo.
const daemonVar = "PROC_TEST_DAEMON"

func TestMain(m *testing.M) {
	if path := os.Getenv(daemonVar); path != "" {
		daemon := exec.Command("sh", "-c", `read -r x < "$0"`, path)
		daemon.Stdout, daemon.SysProcAttr = os.Stdout, &syscall.SysProcAttr{Setsid: true}
		if err := daemon.Start(); err != nil {
			os.Exit(1)
		}
		fmt.Println("last words")
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func startScript(t *testing.T, script string, env ...string) *Process {
	t.Helper()
	p, err := Start(Options{
		Args: []string{"sh", "-c", script}, Env: append(os.Environ(), env...), PipeStderr: true, Grace: 200 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.End()
		p.ClosePipes()
	})
	return p
}

// fifo is one that whatever inherits it from a script holds open: its end is theirs.
func fifo(t *testing.T) (path string, alive *os.File) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	alive, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = alive.Close() })
	return path, alive
}

// Whoever of a group is left goes with its leader, whichever way that one goes.
func TestGroupGoesWithItsLeader(t *testing.T) {
	t.Parallel()
	const up = `exec 9> "$FIFO"; sleep 1000 & echo up; `
	for _, c := range []struct {
		name, script string
		status       string // of the leader
		end          func(*Process)
	}{
		{"leaves by itself", up + `exit 3`, "exit status 3", func(p *Process) { <-p.Gone() }},
		{"leaves at the end of its input", up + `read -r x; exit 0`, "", func(p *Process) { _ = p.Stdin.Close(); p.Leave() }},
		{"does not leave", up + `wait`, "signal: terminated", (*Process).Leave},
		{"is told to", up + `wait`, "signal: terminated", (*Process).End},
		{"ignores it", `trap "" TERM; ` + up + `wait`, "signal: killed", (*Process).End},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path, alive := fifo(t)
			p := startScript(t, c.script, "FIFO="+path)
			if line, err := bufio.NewReader(p.Stdout).ReadString('\n'); line != "up\n" {
				t.Fatalf("the script said %q, %v", line, err)
			}
			c.end(p)
			got := ""
			if err := p.Err(); err != nil {
				got = err.Error()
			}
			if got != c.status {
				t.Errorf("Err() = %q, want %q", got, c.status)
			}
			if _, err := io.ReadAll(alive); err != nil {
				t.Errorf("waiting for the rest of the group: %v", err)
			}
		})
	}
}

// The group of a leader that has left can still be named: its id is nobody else's until it is collected.
func TestExitIsSeenBeforeItIsCollected(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sh", "-c", "exit 3")
	ownGroup(cmd, false)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if !awaitExit(cmd.Process.Pid) {
		t.Error("awaitExit saw no exit")
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("Wait = %v, want exit status 3: the exit was collected already", err)
	}
	if awaitExit(cmd.Process.Pid) {
		t.Error("awaitExit saw the exit of a process that is collected")
	}
}

// Invariant: once over, no signal is sent, for the group's id may be somebody else's.
func TestNoSignalOnceOver(t *testing.T) {
	t.Parallel()
	other := startScript(t, `read -r line; echo "$line"`)
	ended := startScript(t, `exit 0`)
	if err := ended.Err(); err != nil {
		t.Fatal(err)
	}
	collected := ended.cmd.Process
	ended.cmd.Process = other.cmd.Process // the system gave the id away again
	ended.End()
	ended.signal(killGroup)
	ended.cmd.Process = collected
	if _, err := other.Stdin.WriteString("alive\n"); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(other.Stdout); string(text) != "alive\n" || other.Err() != nil {
		t.Errorf("the other group said %q, %v and ended with %v", text, err, other.Err())
	}
}

// An output ends although something that left the group holds it open, and with all that was written before.
func TestOutputHeldOpenEnds(t *testing.T) {
	t.Parallel()
	path, _ := fifo(t)
	held, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }() // lets the one that left go
	p, err := Start(Options{Args: []string{os.Args[0]}, Env: append(os.Environ(), daemonVar+"="+path), Grace: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer p.ClosePipes()
	if text, err := io.ReadAll(p.Stdout); string(text) != "last words\n" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
	if err := p.Err(); err != nil {
		t.Errorf("Err() = %v", err)
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	for _, stderr := range []bool{false, true} {
		p, err := Start(Options{Args: []string{"/nowhere/at/all"}, PipeStderr: stderr})
		if p != nil || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Start = %v, %v, want no such file", p, err)
		}
	}
}
