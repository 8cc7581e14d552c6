//go:build !unix

package program

import "os/exec"

func ownGroup(*exec.Cmd) {}

// A process that is already gone is not an error.
func terminateGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
