package proc

import "syscall"

// endWithParent has the kernel kill the process with the thread that started it.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// idPID says that waitid waits for a process by its id.
const idPID = 1

// awaitExit waits until the child pid has left, does not collect it, and says whether it has.
func awaitExit(pid int) bool {
	for {
		// Without a place for what became of it, the kernel only waits.
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, idPID, uintptr(pid), 0, syscall.WEXITED|syscall.WNOWAIT, 0, 0)
		if errno != syscall.EINTR {
			return errno == 0
		}
	}
}
