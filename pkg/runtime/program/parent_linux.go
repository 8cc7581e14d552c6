package program

import "syscall"

// endWithParent has the kernel kill the program when this process is killed and can do nothing for it any more. The
// program's own children are not reached, but their pipes break.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
