//go:build unix && !linux

package program

import "syscall"

// endWithParent is for kernels that can end a program with its parent; there a program finds its input closed, and no more.
func endWithParent(*syscall.SysProcAttr) {}
