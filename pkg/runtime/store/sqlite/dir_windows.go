package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// errSharing is what Windows says of a file that another process has open to itself.
const errSharing = syscall.Errno(32)

// lockFile opens the lock so that nobody else can open it for writing. It goes with the process, however that ends.
func lockFile(name string) (*os.File, error) {
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, syscall.FILE_SHARE_READ, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharing) {
		return nil, errHeld
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(h), name), nil
}

// private has nothing to look at: a mode says nothing of who may write here.
func private(string, fs.FileInfo) error { return nil }

// syncDir has nothing to do: directories cannot be synced here.
func syncDir(string) error { return nil }
