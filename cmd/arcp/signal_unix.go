//go:build unix

package main

import (
	"os"
	"syscall"
)

// reopenSignals open the audit log anew.
var reopenSignals = []os.Signal{syscall.SIGHUP}
