//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package proc

import (
	"errors"
	"syscall"
)

// endWithParent is for kernels that can end a process with its parent; here it finds its input closed, and no more.
func endWithParent(*syscall.SysProcAttr) {}

// awaitExit waits until the child pid has left, does not collect it, and says whether it has.
func awaitExit(pid int) bool {
	queue, err := syscall.Kqueue()
	if err != nil {
		return false
	}
	defer func() { _ = syscall.Close(queue) }()
	var watch [1]syscall.Kevent_t
	syscall.SetKevent(&watch[0], pid, syscall.EVFILT_PROC, syscall.EV_ADD|syscall.EV_ONESHOT)
	watch[0].Fflags = syscall.NOTE_EXIT
	for {
		n, err := syscall.Kevent(queue, watch[:], watch[:], nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.ESRCH):
			return true // it left before it was watched
		default:
			return err == nil && n == 1 && (watch[0].Flags&syscall.EV_ERROR == 0 || int64(watch[0].Data) == int64(syscall.ESRCH))
		}
	}
}
