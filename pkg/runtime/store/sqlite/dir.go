package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	dbName   = "arcp.db"
	lockName = "lock"
)

// dir is the directory of a store, locked by this process.
type dir struct {
	path  string
	lock  *os.File
	fresh bool // the file was made just now
}

func (d *dir) file() string { return filepath.Join(d.path, dbName) }

// openDir makes the directory if it is not there, sees that it is ours alone to write, and locks it.
func openDir(path string) (*dir, error) {
	if path == "" {
		return nil, errors.New("sqlite: the directory has no name")
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	path, err := trusted(path)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(path)
	if err != nil {
		return nil, err
	}
	d := &dir{path: path, lock: lock}
	err = d.whole()
	if err == nil {
		err = d.privatize()
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return d, nil
}

// whole refuses a write-ahead log without the file it belongs to: SQLite would take the store for a new one, and throw the log away.
func (d *dir) whole() error {
	log, err := os.Lstat(d.file() + "-wal")
	if err != nil || log.Size() == 0 {
		return nil
	}
	if info, err := os.Lstat(d.file()); err == nil && info.Size() > 0 {
		return nil
	}
	return damaged("%s is empty or gone, and its log of %d bytes is there", d.file(), log.Size())
}

// existing is openDir for a store that must be there.
func existing(path string) (*dir, error) {
	if info, err := os.Lstat(filepath.Join(path, dbName)); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w in %s", ErrNoStore, path)
	}
	path, err := trusted(path)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(path)
	if err != nil {
		return nil, err
	}
	d := &dir{path: path, lock: lock}
	if err := d.whole(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return d, nil
}

// trusted returns where a directory really is, if nobody else can change what lies in it. Links are followed once, here: what they lead
// to is what is looked at and used.
func trusted(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("sqlite: %w", err)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", fmt.Errorf("sqlite: %w", err)
	}
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return "", fmt.Errorf("sqlite: %w", err)
	case !info.IsDir():
		return "", fmt.Errorf("sqlite: %s is not a directory", path)
	}
	return path, private(path, info)
}

// privatize makes the file if it is not there, and all files readable by nobody else. SQLite gives its own files the mode of the first.
func (d *dir) privatize() error {
	for _, name := range []string{dbName, dbName + "-wal", dbName + "-shm"} {
		path := filepath.Join(d.path, name)
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			d.fresh = d.fresh || name == dbName
			continue
		}
		if err != nil {
			return fmt.Errorf("sqlite: %w", err)
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("sqlite: %s is not a regular file", path)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			return fmt.Errorf("sqlite: %w", err)
		}
	}
	f, err := os.OpenFile(d.file(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// sync makes the names of new files survive a power loss.
func (d *dir) sync() error {
	if !d.fresh {
		return nil
	}
	for _, path := range []string{d.path, filepath.Dir(d.path)} {
		if err := syncDir(path); err != nil {
			return err
		}
	}
	return nil
}

// close lets go of the lock.
func (d *dir) close() error { return d.lock.Close() }

// A process that is killed while it starts a program leaves the lock to the child for the moment until that has become the program.
const (
	lockPatience = time.Second
	lockPause    = 10 * time.Millisecond
)

// lockDir takes the lock, or says who has it.
func lockDir(path string) (*os.File, error) {
	name := filepath.Join(path, lockName)
	f, err := lockFile(name)
	for end := time.Now().Add(lockPatience); errors.Is(err, errHeld) && time.Now().Before(end); {
		time.Sleep(lockPause)
		f, err = lockFile(name)
	}
	if errors.Is(err, errHeld) {
		return nil, fmt.Errorf("%w: %s is open in %s", ErrLocked, path, holder(name))
	}
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if err := errors.Join(f.Chmod(0o600), f.Truncate(0)); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), f.Close())
	}
	if _, err := f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), f.Close())
	}
	return f, nil
}

// errHeld says that another process has the lock.
var errHeld = errors.New("sqlite: locked")

func holder(name string) string {
	b, err := os.ReadFile(name)
	if pid, bad := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && bad == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}
