//go:build unix

package program

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the program the leader of a new process group: its own children end with it, and a ^C at this terminal
// is not theirs.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
}

// A group that is empty already is not an error: the program was quicker.
func terminateGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
