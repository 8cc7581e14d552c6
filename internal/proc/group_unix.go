//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package proc

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup makes the process the leader of a new group: its own children end with it, and a ^C at this terminal is not
// theirs.
func ownGroup(cmd *exec.Cmd, withParent bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if withParent {
		endWithParent(cmd.SysProcAttr)
	}
}

// A group that is empty already is not an error: the process was quicker.
func terminateGroup(leader *os.Process) { _ = syscall.Kill(-leader.Pid, syscall.SIGTERM) }

func killGroup(leader *os.Process) { _ = syscall.Kill(-leader.Pid, syscall.SIGKILL) }
