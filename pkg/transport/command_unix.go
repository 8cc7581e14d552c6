//go:build unix

package transport

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the child the leader of a new process group, so that its own children can be ended with it and a ^C
// at this terminal is not theirs.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// A group that is already empty is not an error: the child was quicker.
func terminateGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
