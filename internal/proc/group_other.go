//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package proc

import (
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd, bool) {}

// A process that is gone already is not an error.
func terminateGroup(leader *os.Process) { _ = leader.Kill() }

func killGroup(leader *os.Process) { _ = leader.Kill() }

// awaitExit has no group to guard here: an os.Process knows itself whether it is collected.
func awaitExit(int) bool { return false }
