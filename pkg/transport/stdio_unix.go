//go:build unix

package transport

import (
	"os"
	"syscall"
	"time"
)

// ownStream returns a copy of a standard stream. A pipe or socket becomes non-blocking, so that Close can interrupt a
// waiting Read or Write: such a stream has its other end elsewhere and the mode is seen by nobody. A terminal is shared
// with the shell and stays as it is.
func ownStream(f *os.File) *os.File {
	fi, err := f.Stat()
	if err != nil || fi.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return f
	}
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return f
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return f
	}
	return os.NewFile(uintptr(fd), f.Name())
}

// interruptible tells whether Close makes a blocked Read of f return.
func interruptible(f *os.File) bool { return f.SetReadDeadline(time.Time{}) == nil }
